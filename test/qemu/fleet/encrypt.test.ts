import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { entriesOn, type NetBetween } from '../../../src/fleet/between.ts'
import { innerAddress, makeKeys, mtuBetween, sealOf } from '../../../src/fleet/seal.ts'
import type { WireGuardDevice } from '../../../src/genl/index.ts'
import { type Cluster, startCluster } from '../../../src/index.ts'
import { inProject } from '../../house/project.ts'
import { test } from '../../support/leaks.ts'
import { readPcapng } from '../../support/pcapng-reader.ts'
import { waitFor } from '../../support/wait.ts'

/** The built library, with its addon, as an overlay. */
function libraryOverlay(): string {
  const file = join(mkdtempSync(join(tmpdir(), 'library-')), 'library.tar')
  const parts = ['package.json', 'dist', 'build/Release/xcluster.node', 'build/Release/xcluster-launcher']
  const words = ['-C', inProject(), '--transform=s,^,opt/xcluster/,', '--exclude=*.map', '--exclude=*.d.ts']
  execFileSync('tar', [...words, '--exclude=dist/programs', '-cf', file, ...parts])
  return file
}

const run = async (cluster: Cluster, id: number, command: string) => {
  const { status, stdout, stderr } = await cluster.exec(id, command, { encoding: 'utf8' })
  expect([status, stderr], command).toEqual([0, ''])
  return stdout
}

interface State {
  readonly pid: number
  /** Its namespace. */
  readonly net: string
  readonly device: WireGuardDevice
}

async function stateOf(cluster: Cluster, id: number): Promise<State> {
  return JSON.parse(await run(cluster, id, 'cat /tmp/state.json')) as State
}

const key = Buffer.alloc(32, 7)
const net: NetBetween = {
  ...{ net: 1, vni: 77 },
  hosts: new Map([
    [0, ['02:00:00:00:00:01']],
    [1, ['02:00:00:00:00:02']],
  ]),
}

/** What a host of the lab would join its nets with. Guests are the hosts here: their kernel has WireGuard. */
function hostOf(rank: number, keys: readonly ReturnType<typeof makeKeys>[]) {
  const addresses = ['192.168.1.1', '192.168.1.2']
  const mtu = mtuBetween(1500, addresses[0]!, true)
  const values = { rank, secret: key, job: 'test' }
  const publicKeys = keys.map(({ publicKey }) => publicKey)
  const entries = entriesOn(rank, net).map(({ mac, host }) => ({ mac, remote: innerAddress(host) }))
  return {
    ...{ address: `10.9.0.${rank + 1}`, mac: net.hosts.get(rank)![0] },
    tunnel: { net: 1, vni: net.vni, mtu, entries },
    options: {
      ...{ local: addresses[rank], peers: [addresses[1 - rank]], port: 4789, owner: 'test' },
      host: `host ${rank}`,
      seal: sealOf({ values, keys: keys[rank]!, publicKeys, addresses, mtu }),
    },
  }
}

const script = readFileSync(inProject('test/support/sealed-tunnel.js'))

test('two kernels with WireGuard carry a net between them, encrypted, and a killed process leaves nothing', async ({
  census,
}) => {
  await using cluster = await startCluster({
    ...{ nvm: 2, nrouters: 0, mem: 768, ovl: [libraryOverlay()], with: [process.execPath, 'nsenter'] },
  })
  const file = join(mkdtempSync(join(tmpdir(), 'sealed-')), 'wire.pcapng')
  const capture = await cluster.capture({ nets: [1], file })
  const keys = [makeKeys(), makeKeys()]
  await Promise.all(
    [1, 2].map(async id => {
      await cluster.put(id, script, '/opt/xcluster/tunnel.js')
      await cluster.put(id, Buffer.from(JSON.stringify(hostOf(id - 1, keys))), '/tmp/tunnel.json')
      await run(
        cluster,
        id,
        `cd /opt/xcluster && setsid ${process.execPath} tunnel.js >/tmp/log 2>&1 </dev/null &`,
      )
    }),
  )
  const joined = async (id: number) => (await cluster.exec(id, 'test -e /tmp/state.json')).status === 0
  await waitFor(async () => (await Promise.all([1, 2].map(joined))).every(Boolean), 60_000)
  const logs = await Promise.all([1, 2].map(id => run(cluster, id, 'cat /tmp/log')))
  expect(logs).toEqual(['', ''])
  const { net: place, pid } = await stateOf(cluster, 1)
  const inside = (command: string) => run(cluster, 1, `nsenter --net=${place} ${command}`)

  // As much as the MTU of 1390 has: 20 bytes of IPv4 and 8 of ICMP are left.
  expect(await inside('ping -c2 -W9 -s 1362 -p be 10.9.0.2')).toContain('2 packets received')
  expect(await inside('ip link show xcwg')).toContain('mtu 1440')
  const { device } = await stateOf(cluster, 1)
  expect(device).toMatchObject({ port: 4789, publicKey: keys[0]!.publicKey })
  expect(device.peers).toHaveLength(1)
  const [peer] = device.peers
  const endpoint = { address: '192.168.1.2', port: 4789 }
  expect(peer).toMatchObject({ publicKey: keys[1]!.publicKey, endpoint, allowed: ['169.254.1.1/32'] })
  // The state is written again and again.
  const received = async () => (await stateOf(cluster, 1)).device.peers[0]!.received
  expect(await waitFor(async () => (await received()) > 2 * 1362, 20_000), `${await received()}`).toBe(true)
  // The same without the tunnel is seen.
  await run(cluster, 1, 'ping -c1 -W9 -s 1000 -p be 192.168.1.2')
  await capture.close()
  const frames = readPcapng(readFileSync(file)).packets.map(({ bytes }) => bytes)
  const pattern = Buffer.alloc(64, 0xbe)
  const sealed = frames.filter(frame => isUdpOn(4789, frame))
  // Of WireGuard's messages 4 is data, and 1 and 2 are a handshake (drivers/net/wireguard/messages.h).
  const kinds = new Set(sealed.map(frame => frame[14 + 20 + 8]))
  expect([...kinds].sort()).toEqual([1, 2, 4])
  expect(sealed.filter(frame => frame.includes(pattern))).toEqual([])
  expect(frames.filter(frame => frame.includes(pattern)).length).toBeGreaterThanOrEqual(2)

  const left = () => run(cluster, 1, 'ip -o link; cat /proc/net/udp; nft list tables')
  const before = await left()
  expect(before).toMatch(/:12B5 [\s\S]*table inet xcluster_vxlan_test\n/)
  expect(before).not.toContain('xcwg')
  await run(cluster, 1, `kill -9 ${pid}`)
  expect(await waitFor(async () => !/xcwg|:12B5|xcluster/.test(await left()), 10_000), await left()).toBe(
    true,
  )
  await cluster.stop()
  await census.expectUnchanged()
})

const isUdpOn = (port: number, frame: Buffer) =>
  frame.readUInt16BE(12) === 0x0800 && frame[23] === 17 && frame.readUInt16BE(36) === port
