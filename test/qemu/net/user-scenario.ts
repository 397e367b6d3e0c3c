import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { type Cluster, type ClusterEvent, startCluster } from '../../../src/index.ts'
import { joinSegment } from '../../../src/net/index.ts'
import type { SettingOptions } from '../../../src/plan/index.ts'
import { macOf, type UserWiring } from '../../../src/plan/index.ts'
import { boundSockets } from '../../../src/sys/index.ts'
import { openFds } from '../../support/processes.ts'
import { said } from '../cluster/guest-state.ts'

/** Observations of a user-space cluster, as text that is the same in every run. */
export interface Seen {
  readonly uid: number
  /** The reason for a user-space network that the settings did not ask for. */
  readonly notices: readonly string[]
  readonly pinged: readonly string[]
  readonly lost: readonly string[]
  readonly fromHost: readonly string[]
  readonly forwards: readonly string[]
  readonly bound: readonly string[]
  readonly senders: readonly string[]
}

/** Starts two nodes and a router with a user-space network, and observes them. Root and unprivileged users run it. */
export async function seenIn(wiring: UserWiring, settings: SettingOptions): Promise<Seen> {
  const options = { name: `u${process.pid}`, nvm: 2, nrouters: 1, smp: 1, fabric: 'user', ...wiring } as const
  const notices: string[] = []
  const onEvent = (event: ClusterEvent) =>
    event.type === 'notice' && event.text.includes('user space') && notices.push(event.text)
  await using cluster = await startCluster({ ...options, ...settings }, { onEvent })
  await using segment = await joinSegment({ group: `224.0.0.${wiring.mcastBase + 1}`, port: 27_030 })
  const pinged = [await pings(cluster, '192.168.1.2'), await pings(cluster, 'fd00::192.168.1.2')]
  const reached = await cluster.checkReach()
  return {
    uid: process.getuid!(),
    notices,
    pinged,
    lost: reached.flatMap(({ from, address, ok }) => (ok ? [] : `${from} ${address}`)),
    fromHost: [
      await hears(cluster, '127.0.0.1', '192.168.0.250'),
      await hears(cluster, '::1', 'fd00::192.168.0.250'),
    ],
    forwards: [await greeting(wiring.telnetBase + 1), await greeting(wiring.sshBase + 1)],
    bound: [...new Set(cluster.status().nodes.flatMap(({ pid }) => boundBy(pid!)))].sort(),
    senders: [...segment.traffic().keys()].filter(mac => [1, 2].map(id => macOf(1, id)).includes(mac)).sort(),
  }
}

async function pings(cluster: Cluster, address: string): Promise<string> {
  const lines = (await said(cluster, 1, `ping -c 1 -W 5 ${address}`)).split('\n')
  return lines.find(line => line.includes('received'))!
}

/** What a node receives from a server on the host's loopback. */
async function hears(cluster: Cluster, host: string, address: string): Promise<string> {
  const server = createServer(peer => peer.end(`you are ${host}`)).listen(0, host)
  await once(server, 'listening')
  try {
    return await said(cluster, 2, `nc -w 5 ${address} ${(server.address() as AddressInfo).port} </dev/null`)
  } finally {
    server.close()
  }
}

/** The first bytes of a node's service at a forwarded port of the host. */
async function greeting(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  const [bytes] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  return bytes.subarray(0, 3).toString('latin1')
}

/** The addresses to which sockets of a process are bound. */
function boundBy(pid: number): string[] {
  const inodes = new Set(Array.from(openFds(pid).values(), target => /^socket:\[(\d+)\]$/.exec(target)?.[1]))
  return ['tcp', 'tcp6', 'udp', 'udp6']
    .flatMap(table => boundSockets(readFileSync(`/proc/net/${table}`, 'latin1')))
    .filter(({ inode }) => inodes.has(inode))
    .map(({ address }) => address.join('.'))
}
