import { execFile } from 'node:child_process'
import { chmod, chown, cp, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'vitest'
import { places } from '../../../src/base/index.ts'
import { type Cluster, startCluster } from '../../../src/index.ts'
import { joinSegment, macOf, type Segment, segmentOf } from '../../../src/net/index.ts'
import { test } from '../../support/leaks.ts'
import { freeNumbers } from '../../support/user-wiring.ts'
import { waitFor } from '../../support/wait.ts'
import { said } from '../cluster/guest-state.ts'
import { type Seen, seenIn } from './user-scenario.ts'

function expected(uid: number, mcastBase: number): Seen {
  return {
    uid,
    notices: [],
    pinged: Array(2).fill('1 packets transmitted, 1 packets received, 0% packet loss'),
    lost: [],
    fromHost: ['you are 127.0.0.1', 'you are ::1'],
    forwards: ['\xff\xfd\x01', 'SSH'],
    bound: ['127.0.0.1', `224.0.0.${mcastBase + 1}`, `224.0.0.${mcastBase + 2}`].sort(),
    senders: [macOf(1, 1), macOf(1, 2)],
  }
}

test.for([
  ['clones', { clone: 'always' }],
  ['VMs that boot', { clone: 'off' }],
] as const)('%s have all their nets on loopback', async ([, settings], { census }) => {
  const wiring = await freeNumbers()
  expect(await seenIn(wiring, settings)).toEqual(expected(0, wiring.mcastBase))
  await census.expectUnchanged({ withinMs: 1500 })
})

test('a user with no rights at all has the same', async ({ census }) => {
  const wiring = await freeNumbers()
  const home = await mkdtemp(join(tmpdir(), 'xc-user-'))
  const uid = 61_000 + (process.pid % 1000)
  try {
    const { cache } = places(process.env, 0)
    await cp(join(cache, 'fetched'), join(home, 'cache/xcluster/fetched'), { recursive: true })
    for (const path of [home, join(home, 'cache'), join(home, 'cache/xcluster')]) await chown(path, uid, uid)
    await chmod(home, 0o700)
    // Where he may make taps, he has to ask for user space; elsewhere he is told why he gets it.
    const mayTap = ((await stat('/dev/net/tun')).mode & 0o006) === 0o006
    const settings = { fabric: mayTap ? 'user' : 'auto' }
    expect(await asUser(uid, home, [JSON.stringify(wiring), JSON.stringify(settings)])).toEqual({
      ...expected(uid, wiring.mcastBase),
      notices: mayTap ? [] : [expect.stringMatching(/^The network is in user space, .*tun/)],
    })
  } finally {
    await rm(home, { recursive: true, force: true })
  }
  await census.expectUnchanged({ withinMs: 1500 })
})

/** Without capabilities, groups, namespaces and devices. */
async function asUser(uid: number, home: string, args: readonly string[]): Promise<unknown> {
  const script = fileURLToPath(new URL('./ordinary-user.ts', import.meta.url))
  const who = [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--inh-caps=-all', '--no-new-privs']
  const node = [process.execPath, '--import', fileURLToPath(import.meta.resolve('jiti/register')), script]
  const places = { XDG_CACHE_HOME: `${home}/cache`, XDG_STATE_HOME: `${home}/state`, XDG_RUNTIME_DIR: home }
  const env = { PATH: process.env.PATH, HOME: home, TMPDIR: home, JITI_FS_CACHE: 'false', ...places }
  const { stdout } = await promisify(execFile)('setpriv', [...who, ...node, ...args], { env, cwd: '/' })
  return JSON.parse(stdout)
}

test('what the host captures is what the guest sends; what it injects arrives', async ({ census }) => {
  const wiring = await freeNumbers()
  const dump = join(await mkdtemp(join(tmpdir(), 'xc-dump-')), 'net1.pcap')
  await chmod(join(dump, '..'), 0o777) // QEMU is another user
  const kvmOpt = `-object filter-dump,id=witness,netdev=net1,file=${dump}`
  const settings = { nvm: 1, nrouters: 0, smp: 1, fabric: 'user', clone: 'off', ...wiring } as const
  {
    await using cluster = await startCluster({ ...settings, name: `c${process.pid}`, kvmOpt })
    await using segment = await joinSegment(segmentOf(1, wiring.mcastBase))
    const echo = await answerFor(cluster, segment)
    expect(await waitFor(async () => (await readFile(dump)).includes(Buffer.from(echo)))).toBe(true)
  }
  await rm(join(dump, '..'), { recursive: true })
  await census.expectUnchanged({ withinMs: 1500 })
})

const us = { mac: '02:00:00:00:00:01', ip: [192, 168, 1, 99] }

/**
 * Asks the guest for its address by ARP, until it has answered; answers when it asks for ours, and gives the echo
 * request that it then sends.
 */
async function answerFor(cluster: Cluster, segment: Segment): Promise<Uint8Array> {
  const [frames, theirs] = [segment.capture(), macOf(1, 1)]
  await segment.inject(arp(1, 'ff:ff:ff:ff:ff:ff', [192, 168, 1, 1]))
  for await (const { source, destination, etherType, bytes } of frames)
    if (source === theirs && destination === us.mac && etherType === 0x0806 && bytes[21] === 2) break
  const packets = segment.capture()
  const ping = said(cluster, 1, `ping -c 1 -W 1 ${us.ip.join('.')} || true`)
  for await (const { source, destination, etherType, bytes } of packets) {
    if (source !== theirs) continue
    if (etherType === 0x0806 && bytes[21] === 1) await segment.inject(arp(2, theirs, [192, 168, 1, 1]))
    if (etherType !== 0x0800 || destination !== us.mac) continue
    await ping
    return bytes
  }
  throw new Error('the segment ended')
}

/** An ARP request (1) or reply (2) of ours (RFC 826). */
function arp(operation: 1 | 2, to: string, ip: readonly number[]): Uint8Array {
  const bytes = (mac: string) => mac.split(':').map(part => Number.parseInt(part, 16))
  const head = [...bytes(to), ...bytes(us.mac), 8, 6, 0, 1, 8, 0, 6, 4, 0, operation]
  return Uint8Array.of(...head, ...bytes(us.mac), ...us.ip, ...bytes(to), ...ip)
}
