import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isAlive } from '../../../src/client/process.ts'
import { namespaceNames, unnameNamespace } from '../../../src/sys/index.ts'
import { differences as undocumented } from '../../support/json-doc.ts'
import { type Census, takeCensus } from '../../support/leaks.ts'
import { differences, internet, Outside } from '../../support/outside.ts'
import { waitFor } from '../../support/wait.ts'
import { Xc } from '../../support/xc.ts'

// Namespace names are global to the machine, even with a namespace in the role of the host. So the user is unique.
const user = `xct${randomBytes(4).toString('hex')}`
const name = `${user}_xcluster1`
let outside: Outside
let xc: Xc
let census: Census

beforeAll(async () => {
  outside = await new Outside().connect()
  xc = new Xc({ host: outside.host })
  xc.env.USER = user
  census = await takeCensus({ directories: [xc.runtime] })
})

afterAll(async () => {
  await xc.run(['stop', '--all'])
  for (const left of namespaceNames().filter(each => each.startsWith(user))) unnameNamespace(left)
  await census.expectUnchanged()
  await outside[Symbol.asyncDispose]()
})

const nodes = ['--nvm', '1', '--nrouters', '1', '--smp', '1']
const inside = (...command: string[]) => xc.good(['nsenter', '1', '--', ...command])

test('a cluster in a namespace made by xc nsadd reaches the internet, and xc nsdel leaves nothing behind', async () => {
  const before = await outside.looks()
  const added = JSON.parse(await xc.good(['nsadd', '1', '--json']))
  expect(undocumented('xc nsadd', added)).toEqual([])
  expect(added).toMatchObject({ name, link: 'xcluster1', inside: ['172.30.0.2', 'fd00:1723::ac1e:2'] })
  await xc.good(['start', '--netns', name, ...nodes])
  for (const node of ['1', '201'])
    for (const address of Object.values(internet))
      await xc.good(['exec', node, '--', 'ping', '-c1', '-W3', address])
  expect(await inside('bridge', 'link')).toMatch(/xcbr1_t1: .* master xcbr1 /)
  const second = await xc.run(['start', '--name', 'two', '--netns', name, '--nvm', '1', '--nrouters', '0'])
  expect(second).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('this namespace already has one'),
  })
  const early = await xc.run(['nsdel', '1'])
  expect(early).toMatchObject({ status: 1, stderr: expect.stringContaining('a cluster runs in it') })
  await xc.good(['stop'])
  expect(await inside('ip', '-br', 'link')).not.toMatch(/_t1/)
  expect(JSON.parse(await xc.good(['nsdel', '1', '--json']))).toEqual({ v: 1, removed: name })
  expect(differences(before, await outside.looks())).toEqual([])
})

test('xc start and xc br_setup inside a named namespace use it, also after an owner was killed there', async () => {
  await xc.good(['nsadd', '1'])
  const within = (...words: string[]) => inside(process.execPath, 'bin/xc.js', ...words)
  const added = JSON.parse(await within('br_setup', '5', '--json'))
  expect(undocumented('xc br-setup', added)).toEqual([])
  expect(added).toEqual({ v: 1, bridge: 'xcbr5', netns: name, made: true })
  expect(JSON.parse(await within('br-setup', '5', '--json')).made).toBe(false)
  const alone = ['start', '--nvm', '1', '--nrouters', '0', '--smp', '1', '--nets1', '0,6', '--json']
  const { owner } = JSON.parse(await within(...alone))
  expect(await inside('ip', '-br', 'link')).toContain('xcbr6')
  process.kill(owner.pid, 'SIGKILL')
  await waitFor(() => !isAlive(owner.pid), 5000)
  const again = JSON.parse(await within(...alone))
  expect(again.state).toBe('ready')
  await within('stop')
  expect(await inside('ip', '-br', 'link')).not.toContain('xcbr6')
  await xc.good(['nsdel', '1'])
})

test.for([
  [['nsadd', '128'], 2, /it has room for the numbers 0 to 127/],
  [['nsadd', 'one'], 2, /index: 'one' is not a whole number from 0 to 255/],
  [['nsadd', '1', '--ipv4-base', '172'], 2, /--ipv4-base: '172' is not an IPv4 network/],
  [
    ['nsadd', '1', '--ipv4-base', '203.0.113.0/24'],
    2,
    /they overlap with 203\.0\.113\.0\/24, which is routed to eth0/,
  ],
  [['nsadd_docker', '1'], 4, /the bridge docker0 does not exist\. Start Docker/],
  [['nsdel', '1'], 3, /no network namespace has this name/],
  [['nsenter', '1'], 3, /no network namespace has this name/],
  [['br_setup', '256'], 2, /net: '256' is not a whole number from 0 to 255/],
  [['br_setup', '5'], 2, /the current network namespace has no name/],
  [['start', '--netns', `${user}_none`, '--nvm', '1'], 3, /no network namespace has this name/],
] as const)('xc %j is refused', async ([args, status, words]) => {
  const before = await outside.looks()
  const result = await xc.run(args)
  expect(result.stderr).toMatch(words)
  expect(result.status).toBe(status)
  expect(differences(before, await outside.looks())).toEqual([])
})
