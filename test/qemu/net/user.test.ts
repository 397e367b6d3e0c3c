import { execFile } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'vitest'
import { type Cluster, startCluster } from '../../../src/index.ts'
import { joinSegment, type Segment } from '../../../src/net/index.ts'
import { macOf, segmentOf } from '../../../src/plan/index.ts'
import { test } from '../../support/leaks.ts'
import { OrdinaryUser } from '../../support/ordinary-user.ts'
import { freeNumbers } from '../../support/user-wiring.ts'
import { waitFor } from '../../support/wait.ts'
import { said } from '../cluster/guest-state.ts'
import { type Seen, seenIn } from './user-scenario.ts'

function expected(uid: number, groups: readonly number[]): Seen {
  return {
    uid,
    notices: [],
    pinged: Array(2).fill('1 packets transmitted, 1 packets received, 0% packet loss'),
    lost: [],
    fromHost: ['you are 127.0.0.1', 'you are ::1'],
    forwards: ['\xff\xfd\x01', 'SSH'],
    bound: ['127.0.0.1', ...groups.map(group => `224.0.0.${group}`)].sort(),
    senders: [macOf(1, 1), macOf(1, 2)],
  }
}

test.for([
  ['clones', { clone: 'always' }],
  ['VMs that boot', { clone: 'off' }],
] as const)('%s with a user-space network have all nets on loopback', async ([, settings], { census }) => {
  const wiring = await freeNumbers()
  expect(await seenIn(wiring, settings)).toEqual(expected(0, [wiring.mcastBase + 1, wiring.mcastBase + 2]))
  await census.expectUnchanged()
})

const user = new OrdinaryUser()
const why = user.whyNot()

test('an unprivileged user that may not open /dev/net/tun gets a user-space network, with a notice', async ({
  census,
  skip,
}) => {
  skip(why !== undefined, why)
  const wiring = await freeNumbers()
  const settings = { fabric: 'auto', nrouters: 0 } // one template less to make
  expect(await seenBy(user, [JSON.stringify(wiring), JSON.stringify(settings)])).toEqual({
    ...expected(user.uid, [wiring.mcastBase + 1]),
    notices: [expect.stringMatching(/^The network is in user space, .*\/dev\/net\/tun/)],
  })
  await census.expectUnchanged()
})

async function seenBy(runner: OrdinaryUser, args: readonly string[]): Promise<unknown> {
  const here = fileURLToPath(new URL('./ordinary-user.ts', import.meta.url))
  const script = relative(process.cwd(), here) // the user has the project at another path
  const node = ['node', '--import', 'jiti/register', script, ...args]
  const [file, ...rest] = runner.command(node, { tunMode: '0600' })
  const { stdout } = await promisify(execFile)(file!, rest, { env: runner.env, timeout: 170_000 })
  return JSON.parse(stdout)
}

test('the host captures what a guest sends on a segment, and the guest receives what the host injects', async ({
  census,
}) => {
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
  await census.expectUnchanged()
})

const us = { mac: '02:00:00:00:00:01', ip: [192, 168, 1, 99] }

/**
 * Resolves the guest's MAC by ARP, lets it ping this end, and answers its ARP request. Returns the echo request that it
 * sends.
 */
async function answerFor(cluster: Cluster, segment: Segment): Promise<Uint8Array> {
  const [frames, theirs] = [segment.capture(), macOf(1, 1)]
  await segment.inject(arp(1, 'ff:ff:ff:ff:ff:ff', [192, 168, 1, 1]))
  for await (const { source, destination, etherType, bytes } of frames)
    if (source === theirs && destination === us.mac && etherType === 0x0806 && bytes[21] === 2) break
  const packets = segment.capture()
  const ping = said(cluster, 1, `ping -c 5 -W 5 ${us.ip.join('.')} || true`)
  void ping.then(() => packets.end())
  let echo: Uint8Array | undefined
  for await (const { source, destination, etherType, bytes } of packets) {
    if (source !== theirs) continue
    if (etherType === 0x0806 && bytes[21] === 1) await segment.inject(arp(2, theirs, [192, 168, 1, 1]))
    if (etherType === 0x0800 && destination === us.mac) echo ??= bytes
  }
  await ping
  if (!echo) throw new Error('the guest sent no echo request after the ARP reply')
  return echo
}

/** An ARP request (1) or reply (2) from this end (RFC 826). */
function arp(operation: 1 | 2, to: string, ip: readonly number[]): Uint8Array {
  const bytes = (mac: string) => mac.split(':').map(part => Number.parseInt(part, 16))
  const head = [...bytes(to), ...bytes(us.mac), 8, 6, 0, 1, 8, 0, 6, 4, 0, operation]
  return Uint8Array.of(...head, ...bytes(us.mac), ...us.ip, ...bytes(to), ...ip)
}
