import { afterAll, beforeAll, expect, test } from 'vitest'
import { isAlive } from '../../../src/client/process.ts'
import { differences as undocumented } from '../../support/json-doc.ts'
import { type Census, takeCensus } from '../../support/leaks.ts'
import { inNamespace } from '../../support/namespace.ts'
import { differences, internet, Outside } from '../../support/outside.ts'
import { waitFor } from '../../support/wait.ts'
import { Xc } from '../../support/xc.ts'

// The host is a namespace of the test. Behind it is another one in the role of the internet.
let outside: Outside
let xc: Xc
let census: Census

beforeAll(async () => {
  outside = await new Outside().connect()
  xc = new Xc({ host: outside.host })
  census = await takeCensus({ directories: [xc.runtime] })
  await xc.good(['start', '--nvm', '1', '--nrouters', '1', '--smp', '1']) // makes templates that are missing
  await xc.good(['stop'])
})

afterAll(async () => {
  await xc.run(['stop', '--all'])
  await census.expectUnchanged()
  await outside[Symbol.asyncDispose]()
})

const nodes = ['--nvm', '1', '--nrouters', '1', '--smp', '1']

/** Pings an address of the internet from a node. */
const reaches = (node: string, address: string) => xc.run(['exec', node, '--', 'ping', '-c1', '-W3', address])

interface Status {
  readonly owner: { readonly pid: number }
  readonly uplink?: {
    readonly link: string
    readonly table: string
    readonly sysctls: readonly { name: string }[]
  }
}
const status = async (): Promise<Status> => JSON.parse(await xc.good(['status', '--json']))

test('a cluster without --uplink does not change the host, and does not reach the internet', async () => {
  const before = await outside.looks()
  await xc.good(['start', ...nodes])
  expect(differences(before, await outside.looks())).toEqual([])
  expect((await status()).uplink).toBeUndefined()
  for (const address of Object.values(internet)) expect((await reaches('201', address)).status).not.toBe(0)
  await xc.good(['stop'])
  expect(differences(before, await outside.looks())).toEqual([])
})

test('a cluster with --uplink reaches the internet, changes on the host what xc status lists, and xc stop undoes it', async () => {
  const before = await outside.looks()
  await xc.good(['start', '--uplink', ...nodes])
  for (const node of ['1', '201'])
    for (const address of Object.values(internet)) {
      const { status, stdout, stderr } = await reaches(node, address)
      expect({ node, address, status, stderr }, stdout).toMatchObject({ status: 0 })
    }
  const told = await status()
  expect(undocumented('xc status', told)).toEqual([])
  expect(told.uplink).toMatchObject({ link: 'xcluster1', table: 'inet xcluster_default' })
  expect(told.uplink!.sysctls.map(({ name }) => name)).toEqual([
    'net/ipv4/ip_forward',
    'net/ipv6/conf/all/forwarding',
  ])
  expect(await xc.good(['status'])).toContain(
    'uplink xcluster1 (table inet xcluster_default, net/ipv4/ip_forward',
  )
  expect(kindsOf(differences(before, await outside.looks()))).toEqual(
    new Set(['link', 'table', 'forwarding']),
  )
  await xc.good(['stop'])
  expect(differences(before, await outside.looks())).toEqual([])
})

/** The kind of each change. */
function kindsOf(changes: readonly string[]): Set<string> {
  const kinds = [
    [/xcluster1|172\.30\.0\.|fd00:1723::/, 'link'],
    [/xcluster_default|^\+ \s*(flags owner|chain postrouting|type nat|\}$)/, 'table'],
    [/forward|accept_redirects|^\+ anycast/, 'forwarding'],
  ] as const
  return new Set(changes.map(line => kinds.find(([pattern]) => pattern.test(line))?.[1] ?? line))
}

test('after kill -9 of its owner an uplink is gone, and the next xc command restores the sysctls of the host', async () => {
  const before = await outside.looks()
  await xc.good(['start', '--uplink', ...nodes])
  const { pid } = (await status()).owner
  process.kill(pid, 'SIGKILL')
  await waitFor(() => !isAlive(pid), 5000)
  await xc.run(['ls'])
  expect(differences(before, await outside.looks())).toEqual([])
})

test('xc start and xc doctor report a firewall that drops packets of an uplink', async () => {
  await nft('table inet mine { chain pass { type filter hook forward priority 0; policy drop; }; }')
  const started = await xc.run(['start', '--uplink', '--nvm', '1', '--nrouters', '0', '--smp', '1'])
  expect(started.stderr).toContain('chain pass of table inet mine drops forwarded packets by default')
  await xc.good(['stop'])
  const { stdout } = await xc.run(['doctor', '--uplink'])
  expect(stdout).toMatch(
    /^note {2}firewall: in the host, chain pass .* Accept packets of uplinks: nft insert rule inet mine pass/m,
  )
  await nft('delete table inet mine')
})

test('two clusters have an uplink each, and xc start refuses a used number or an overlapping network', async () => {
  const one = ['start', '--uplink', '7', '--nvm', '1', '--nrouters', '0', '--smp', '1']
  await xc.good(one)
  const before = await outside.looks()
  const second = (...more: string[]) => xc.run([...one, '--name', 'two', ...more])
  const same = await second()
  expect(same).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('xcluster7: an uplink with this number exists'),
  })
  const overlapping = await second('--uplink', '8', '--ipv4-base', '172.30.0.0/16')
  expect(overlapping).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('they overlap with 172.30.0.0/24'),
  })
  const both = await second('--netns', 'x')
  expect(both).toMatchObject({ status: 2, stderr: expect.stringContaining('Leave out --uplink, or --netns') })
  expect(differences(before, await outside.looks())).toEqual([])
  expect((await second('--uplink')).status).toBe(0)
  expect(JSON.parse(await xc.good(['status', '--name', 'two', '--json'])).uplink.link).toBe('xcluster1')
  await xc.good(['stop', '--all'])
})

const nft = (command: string) => inNamespace(outside.host, ['nft', command])
