import { addressBytes, addressText, hostId, type Nic } from '../../base/index.ts'
import type { BridgePlan, TapSpec } from './bridges.ts'
import { segmentOf } from './segment.ts'

/**
 * The settings that decide ports, groups and addresses of a user-space network. The names are those of the
 * settings.
 */
export interface UserWiring {
  /** `fd00:` in `fd00::192.168.0.1`. */
  readonly prefix: string
  /** Port `telnetBase` + n is forwarded to telnet of node n, and `sshBase` + n to its ssh. 0 turns it off. */
  readonly telnetBase: number
  readonly sshBase: number
  /** The first port that is forwarded to ports 8080 and 6443 of node 1. 0 turns it off. */
  readonly k8sPort: number
  readonly k8sApiPort: number
  /** Net N is the multicast group 224.0.0.<mcastBase + N>. */
  readonly mcastBase: number
}

/** A TCP port on the host's 127.0.0.1 that is forwarded to a node. */
export interface Forward {
  readonly node: number
  /** `telnet`, `ssh` … */
  readonly service: string
  readonly from: number
  readonly to: number
}

/** One interface of a node: QEMU's own router on net 0, a multicast segment on the others. */
export interface UserNicPlan {
  readonly net: number
  readonly args: readonly string[]
}

/** The loopback address. A user-space network uses no other address of the host. */
export const loopback = '127.0.0.1'

/** The ports of the host that are forwarded to a node. */
export function forwardsOf(node: number, wiring: UserWiring): Forward[] {
  const from = (base: number, add: number) => (base === 0 ? 0 : base + add)
  const all = [
    { service: 'telnet', from: from(wiring.telnetBase, node), to: 23 },
    { service: 'ssh', from: from(wiring.sshBase, node), to: 22 },
    { service: 'http', from: node === 1 ? wiring.k8sPort : 0, to: 8080 },
    { service: 'kubernetes', from: node === 1 ? wiring.k8sApiPort : 0, to: 6443 },
  ]
  return all.filter(forward => forward.from !== 0).map(forward => ({ node, ...forward }))
}

/** A node's interfaces, eth0 first. Pure: QEMU makes them when it starts, and they need no preparation. */
export function planUserNics(
  { taps }: Pick<BridgePlan, 'taps'>,
  node: number,
  wiring: UserWiring,
): UserNicPlan[] {
  const own = taps.filter(tap => tap.node === node)
  return own.map(({ net, mac }, index) => {
    const backend = net === 0 ? userNet(node, wiring) : segment(net, wiring)
    return { net, args: ['-netdev', `${backend},id=net${index}`, ...device(index, mac)] }
  })
}

/**
 * The same interfaces without a network behind them, for a template. Like the real ones they have no vnet
 * header, so the state of the device fits both. They need neither ports nor privileges.
 */
export function planUnpluggedNics(macs: readonly string[]): Nic[] {
  return macs.map((mac, index) => ({
    args: ['-netdev', `hubport,hubid=${index},id=net${index}`, ...device(index, mac)],
    fds: [],
  }))
}

function device(index: number, mac: string): string[] {
  return ['-device', `virtio-net-pci,netdev=net${index},id=nic${index},mac=${mac},romfile=`]
}

/** The address of QEMU's own name server, which guests do not use. */
const nameServerId = hostId + 1

/**
 * QEMU's router is 192.168.0.250. Its name server and the addresses that it offers by DHCP are set here too,
 * because QEMU's defaults are the addresses of nodes 3 and 15.
 */
function userNet(node: number, wiring: UserWiring): string {
  const ipv4 = (id: number) => `192.168.0.${id}`
  const ipv6 = (id: number) => addressText(addressBytes(`${wiring.prefix}:${ipv4(id)}`))
  const forwards = forwardsOf(node, wiring).map(
    ({ from, to }) => `hostfwd=tcp:${loopback}:${from}-${ipv4(node)}:${to}`,
  )
  return [
    `user,net=${ipv4(0)}/24,host=${ipv4(hostId)},dns=${ipv4(nameServerId)},dhcpstart=${ipv4(node)}`,
    `ipv6-prefix=${ipv6(0)},ipv6-prefixlen=120,ipv6-host=${ipv6(hostId)},ipv6-dns=${ipv6(nameServerId)}`,
    ...forwards,
  ].join(',')
}

/** `localaddr`: it sends and receives on loopback only, so that nothing leaves the machine. */
function segment(net: number, { mcastBase }: UserWiring): string {
  const { group, port } = segmentOf(net, mcastBase)
  return `socket,mcast=${group}:${port},localaddr=${loopback}`
}

/** The nets that are multicast segments, each once. */
export function segmentNets(taps: readonly TapSpec[]): number[] {
  return [...new Set(taps.map(({ net }) => net))].filter(net => net !== 0).sort((a, b) => a - b)
}
