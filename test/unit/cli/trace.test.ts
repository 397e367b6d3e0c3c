import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { traceAreas } from '../../../src/base/index.ts'
import { launchOwner } from '../../../src/owner/index.ts'
import { resolveSettings } from '../../../src/plan/index.ts'
import { privatePlaces } from '../../support/owner-process.ts'
import { oneSentence, Xc } from '../../support/xc.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** A program that sends a query to its own resolver, which answers it from its hosts. */
const program = `
import { openResolver } from 'xcluster/dns'
const asker = { transport: 'udp', address: '127.0.0.1', port: 40000 }
const resolver = openResolver({ upstreams: [] })
resolver.setHosts({ hosts: [{ name: 'a', addresses: ['192.0.2.1'] }] })
await resolver.resolve(Buffer.from('0007010000010000000000000161000001' + '0001', 'hex'), asker)
await resolver.close()
`
const runProgram = (trace: string | undefined) =>
  spawnSync(process.execPath, ['--import', 'xcluster/trace', '--input-type=module', '-e', program], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, XCLUSTER_TRACE: trace },
  })

test('a program started with --import xcluster/trace prints the traces that XCLUSTER_TRACE names', () => {
  const { status, stdout, stderr } = runProgram('dns')
  expect({ status, stdout }).toEqual({ status: 0, stdout: '' })
  const lines = stderr.trimEnd().split('\n')
  expect(lines.map(line => line.replace(/^\S+Z /, '').replace(/\(\d.*/, ''))).toEqual([
    'dns <- udp 127.0.0.1:40000: A a. {id: 7, bytes: 19}',
    'dns -> udp 127.0.0.1:40000: A a. NOERROR from own ',
  ])
})

test.for([undefined, '', 'qmp,nft'])(
  'a program started with --import xcluster/trace prints nothing when XCLUSTER_TRACE is %j',
  text => {
    expect(runProgram(text)).toMatchObject({ status: 0, stdout: '', stderr: '' })
  },
)

test('xc refuses an unknown trace area as bad usage, in one sentence that names all areas', async () => {
  const xc = new Xc()
  Object.assign(xc.env, { XCLUSTER_TRACE: 'netlink,qpm' })
  const { status, stdout, stderr } = await xc.run(['ls'])
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
  expect(stderr).toMatch(oneSentence)
  for (const word of ['XCLUSTER_TRACE', "'qpm'", ...traceAreas]) expect(stderr).toContain(word)
})

test('xc accepts XCLUSTER_TRACE=all, and a command without messages prints no traces', async () => {
  const xc = new Xc()
  Object.assign(xc.env, { XCLUSTER_TRACE: 'all' })
  expect(await xc.run(['ls', '--json'])).toMatchObject({ status: 0, stderr: '' })
})

test('launchOwner rejects an unknown trace area before it starts an owner', async () => {
  const request = { settings: resolveSettings({ options: {} }), places: privatePlaces() }
  await expect(launchOwner(request, { env: { XCLUSTER_TRACE: 'x' } })).rejects.toMatchObject({
    code: 'TRACE_AREA',
    kind: 'usage',
  })
})
