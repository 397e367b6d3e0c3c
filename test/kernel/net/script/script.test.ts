import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import {
  type Fabric,
  type NetSetup,
  openBridgeFabric,
  openScriptFabric,
  scriptSetup,
} from '../../../../src/net/index.ts'
import { planCluster, resolveSettings, type SettingOptions } from '../../../../src/plan/index.ts'
import { test } from '../../../support/leaks.ts'
import { ipJson } from '../../../support/namespace.ts'
import { openFds } from '../../../support/processes.ts'

const planned = (options: SettingOptions) =>
  planCluster(resolveSettings({ options: { nrouters: 0, ...options } })).bridges

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'script-'))
})
afterAll(() => rm(directory, { recursive: true }))

interface Around {
  readonly notices?: string[]
  readonly log?: string[]
  readonly timeoutMs?: number
}

async function fabricOf(setup: NetSetup, { notices = [], timeoutMs = 20_000 }: Around = {}): Promise<Fabric> {
  const plan = planned({ nvm: 2, mtu1: 9000 })
  const base = await openBridgeFabric({ ...plan, bridges: [], taps: [] })
  return openScriptFabric(plan, { base, setup, who: 'it', notice: text => notices.push(text), timeoutMs })
}

async function scripted(text: string, around: Around = {}): Promise<Fabric> {
  const file = join(directory, `${Math.random()}`)
  await writeFile(file, text.startsWith('#!') || text === '' ? text : `#!/bin/sh\n${text}\n`)
  await chmod(file, 0o755)
  const log = async (said: string) => void around.log?.push(said)
  return fabricOf(
    scriptSetup({ file, log, env: async () => ({ ...process.env, __kvm: '/bin/qemu' }) }),
    around,
  )
}

const device = '-device virtio-net-pci,netdev=net$2,mac=00:00:00:01:0$2:0$1'
const tap = `ip tuntap add t$2_$1 mode tap; echo -netdev tap,id=net$2,ifname=t$2_$1,script=no ${device}`

test('a script is called in the namespace for each net, and the tap that it names is opened for QEMU', async () => {
  const log: string[] = []
  await using fabric = await scripted(`echo "$1 $2 $__mtu $__kvm" >&2; ${tap}`, { log })
  const nics = await fabric.nics(1)
  expect(log).toEqual(
    ['node 1 net 0: 1 0 1500 /bin/qemu\n', 'node 1 net 1: 1 1 9000 /bin/qemu\n'].map(line =>
      expect.stringContaining(line),
    ),
  )
  expect(nics.map(({ args }) => args)).toEqual(
    [0, 1].map(net => [
      ...['-netdev', `tap,id=net${net},fd={fd0}`],
      ...['-device', `virtio-net-pci,netdev=net${net},mac=00:00:00:01:0${net}:01,id=nic${net},romfile=`],
    ]),
  )
  expect(nics.every(nic => !nic.cold && !nic.privileged && nic.fds.length === 1)).toBe(true)
  const links = await ipJson<{ ifname: string; flags: string[] }>(fabric.namespace!, ['link'])
  expect(links.map(({ ifname }) => ifname).sort()).toEqual(['lo', 't0_1', 't1_1'])
})

test('a second call for a node closes its earlier taps, and so does the removal of a node', async () => {
  await using fabric = await scripted(
    `ip link show t$2_$1 >/dev/null 2>&1 || ${tap.replace(';', '; :;')}
    echo -netdev tap,id=net$2,ifname=t$2_$1 ${device}`.replace(/; :;.*\n/, '\n'),
  )
  const before = openFds().size
  await fabric.nics(1)
  await fabric.nics(1)
  await fabric.nics(2)
  expect(openFds().size).toBe(before + 4)
  await fabric.change(planned({ nvm: 1 }))
  expect(openFds().size).toBe(before + 2)
})

const failing: [string, string, string, RegExp][] = [
  [
    'fails',
    'echo nothing left >&2; exit 7',
    'FAILED',
    /net 0 of node 1: .* exited with status 7. It printed:\n {2}nothing left/,
  ],
  ['is killed', 'kill -9 $$', 'FAILED', /was killed by SIGKILL/],
  ['prints nothing', 'exit 0', 'ANSWER', /gave no answer.*It must give QEMU options, such as: -netdev tap/],
  [
    'prints other text',
    'echo Hello, world',
    'ANSWER',
    /answered "Hello, world", where "Hello," is not an option/,
  ],
  ['prints too many words', 'echo -netdev a b', 'ANSWER', /where "b" is not an option/],
  ['prints options without an interface', 'echo -global a=b', 'ANSWER', /is not a network interface/],
  ['prints control characters', "printf -- '-netdev \\001\\002'", 'ANSWER', /control characters/],
  [
    'prints 10 MB',
    'head -c 10000000 /dev/zero | tr "\\0" x',
    'ANSWER',
    /printed more than 64 KiB, beginning with "xxx/,
  ],
  [
    'gives eth0 no Ethernet address',
    'echo -netdev user,id=a -device virtio-net-pci,netdev=a',
    'ANSWER',
    /no Ethernet address.*01 for node 1/,
  ],
  [
    'gives eth0 the address of another node',
    'echo -netdev user,id=a -device virtio-net-pci,netdev=a,mac=00:00:00:01:00:02',
    'ANSWER',
    /which is 01 for node 1/,
  ],
  [
    'names an interface that is not a tap',
    `ip link add name t type bridge; echo -netdev tap,id=a,ifname=t ${device}`,
    'TAP',
    /named the interface t, which is not a tap/,
  ],
  [
    'names one tap for two nets',
    `echo -netdev tap,id=a,ifname=t ${device}`,
    'TAP',
    /net 1 of node 1: it named the interface t, which another program has open/,
  ],
  [
    'names a tap with an impossible name',
    `echo -netdev tap,id=a,ifname=sixteen-letters-x ${device}`,
    'TAP',
    /named the interface sixteen-letters-x, which has 17 bytes, and the kernel takes names of 15. Use a shorter/,
  ],
]
test.each(failing)('a script that %s fails its own node only', async (...[, script, code, why]) => {
  await using fabric = await scripted(
    `[ $1 = 2 ] || {\n${script}\n}\n${tap.replace('echo', '[ $1 = 1 ] || echo')}`,
  )
  await expect(fabric.nics(1)).rejects.toMatchObject({
    code: `NET_SETUP_${code}`,
    message: expect.stringMatching(why),
  })
  expect(await fabric.nics(2)).toHaveLength(2)
})

test('a script without an interpreter line cannot be started', async () => {
  await using fabric = await scripted('')
  const message = expect.stringMatching(
    /cannot be started: Exec format error. Make it executable, and let it begin/,
  )
  await expect(fabric.nics(1)).rejects.toMatchObject({ code: 'NET_SETUP_FAILED', message })
})

test('a script may print 10 MB of errors, of which the end is kept', async () => {
  const log: string[] = []
  await using fabric = await scripted(`head -c 10000000 /dev/zero | tr "\\0" x >&2; echo end >&2; ${tap}`, {
    log,
  })
  expect(await fabric.nics(1)).toHaveLength(2)
  expect(log[0]).toMatch(/xend\n$/)
  expect(log[0]!.length).toBeLessThan(128 << 10)
})

test('a script that hangs is killed with its children', async ({ census }) => {
  await using fabric = await scripted('sleep 1000 & setsid sleep 0.3 & sleep 1000', { timeoutMs: 300 })
  await expect(fabric.nics(1)).rejects.toMatchObject({
    code: 'NET_SETUP_TIMEOUT',
    message: expect.stringMatching(/did not end within 0.3 s, and was killed/),
  })
  await fabric.close()
  await census.expectUnchanged()
})

test('a call that is cancelled, or whose fabric is closed, ends at once', async ({ census }) => {
  const fabric = await scripted('sleep 1000')
  const calling = new AbortController()
  const [one, other] = [fabric.nics(1, calling.signal), fabric.nics(2)]
  const ends = Promise.allSettled([one, other])
  calling.abort(new Error('enough'))
  await expect(one).rejects.toThrow('enough')
  await fabric.close()
  expect((await ends).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  await expect(async () => fabric.nics(1)).rejects.toMatchObject({ code: 'NETWORK_CLOSED' })
  await census.expectUnchanged()
})

test('options that need privileges are reported, and a function can give descriptors of its own', async () => {
  const notices: string[] = []
  const setup: NetSetup = (node, net, { mac }) =>
    net === 0
      ? { args: ['-netdev', `tap,id=a,fd={fd0}`, '-device', `virtio-net-pci,netdev=a,mac=${mac}`], fds: [0] }
      : {
          args: `-netdev tap,id=b,ifname=t${node},vhost=on -device virtio-net-pci,netdev=b,mac=${mac}`,
          fds: [1],
        }
  await using fabric = await fabricOf(setup, { notices })
  const [first, second] = await fabric.nics(1)
  expect(first).toMatchObject({ fds: [0], cold: true })
  expect(first).not.toHaveProperty('privileged')
  expect(second).toMatchObject({ privileged: true, cold: true, fds: [1, expect.any(Number)] })
  expect(second!.args[1]).toBe('tap,id=b,vhost=on,fd={fd1}')
  expect(notices).toEqual(['QEMU of node 1 keeps its privileges, for -netdev tap,id=b,vhost=on,fd={tap}'])
})

test('a function that throws, hangs or returns another type fails its own node only', async () => {
  const answers = new Map<number, () => unknown>([
    [1, () => Promise.reject(new Error('no more ports'))],
    [2, () => ({ words: [] })],
  ])
  await using fabric = await fabricOf((node => answers.get(node)!()) as NetSetup)
  await expect(fabric.nics(1)).rejects.toMatchObject({
    code: 'NET_SETUP_FAILED',
    reason: 'it failed: no more ports',
  })
  await expect(fabric.nics(2)).rejects.toMatchObject({ code: 'NET_SETUP_ANSWER' })
})
