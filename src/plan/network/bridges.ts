import { type Cidr, hostId, macText } from '../../base/index.ts'

/** One net's switch in the cluster's namespace. */
export interface BridgeSpec {
  readonly net: number
  /** `xcbr<N>` */
  readonly name: string
  /** Given by us, so that taps can name their master in the same batch that makes it. */
  readonly index: number
  /** The host's id is its last byte. Fixed, or it would follow the lowest of its taps: a forked guest keeps its neighbour entry of the host. */
  readonly mac: string
  /** The host's own addresses on the net. */
  readonly addresses: readonly Cidr[]
}

/** One node's cable into a net. */
export interface TapSpec {
  readonly node: number
  readonly net: number
  /** `xcbr<N>_t<node>` */
  readonly name: string
  /** The guest's Ethernet address. */
  readonly mac: string
}

/** A network namespace full of bridges and taps, before it exists. */
export interface BridgePlan {
  readonly mtu: number
  /** Of nets that have another than that. */
  readonly mtus?: Readonly<Record<number, number>>
  readonly bridges: readonly BridgeSpec[]
  readonly taps: readonly TapSpec[]
}

/** What a cluster wants of its network. */
export interface Wiring {
  readonly mtu: number
  readonly mtus?: Readonly<Record<number, number>>
  /** The nets of each node, in the order of its interfaces. */
  readonly nodes: readonly { readonly id: number; readonly nets: readonly number[] }[]
  /** The host's addresses, by net. */
  readonly host: ReadonlyMap<number, readonly Cidr[]>
}

/** Ethernet addresses of the contract: `00:00:00:01:<net>:<node>`. */
export function macOf(net: number, node: number): string {
  return macText(Uint8Array.of(0, 0, 0, 1, net, node))
}

/** Above any index that the kernel gives by itself in a fresh namespace. */
const firstBridgeIndex = 100_000

/** Bridges and taps for some wiring. Pure: {@link openBridgeFabric} makes them. */
export function planBridges({ mtu, mtus, nodes, host }: Wiring): BridgePlan {
  const nets = new Set([...host.keys(), ...nodes.flatMap(node => node.nets)])
  const bridges = [...nets]
    .sort((a, b) => a - b)
    .map(net => ({
      net,
      name: `xcbr${net}`,
      index: firstBridgeIndex + net,
      mac: macOf(net, hostId),
      addresses: host.get(net) ?? [],
    }))
  const taps = nodes.flatMap(({ id, nets }) =>
    nets.map(net => ({ node: id, net, name: `xcbr${net}_t${id}`, mac: macOf(net, id) })),
  )
  return { mtu, ...(mtus && { mtus }), bridges, taps }
}

/** The MTU of a net. */
export function mtuOf({ mtu, mtus }: Pick<BridgePlan, 'mtu' | 'mtus'>, net: number): number {
  return mtus?.[net] ?? mtu
}

/** One interface of a node: where its cable ends, and what QEMU is told of it (see base's Nic). */
export interface NicPlan {
  readonly tap: string
  readonly args: readonly string[]
}

/** A node's interfaces, eth0 first. */
export function planNics({ taps }: Pick<BridgePlan, 'taps'>, node: number): NicPlan[] {
  const own = taps.filter(tap => tap.node === node)
  return own.map(({ name, mac }, index) => ({ tap: name, args: nicArgs(index, mac) }))
}

/** `romfile=`: nobody boots from it, and the option ROM costs time at every start. */
function nicArgs(index: number, mac: string): string[] {
  const device = `virtio-net-pci,netdev=net${index},id=nic${index},mac=${mac},romfile=`
  return ['-netdev', `tap,id=net${index},fd={fd0}`, '-device', device]
}

/** What turns one network into another. What both have stays as it is. */
export interface BridgeChange {
  readonly add: Pick<BridgePlan, 'bridges' | 'taps'>
  readonly remove: Pick<BridgePlan, 'bridges' | 'taps'>
}

export function bridgeChange(
  before: Pick<BridgePlan, 'bridges' | 'taps'>,
  after: Pick<BridgePlan, 'bridges' | 'taps'>,
): BridgeChange {
  const beyond = (a: typeof before, b: typeof before) => ({
    bridges: without(a.bridges, b.bridges),
    taps: without(a.taps, b.taps),
  })
  return { add: beyond(after, before), remove: beyond(before, after) }
}

function without<T extends { readonly name: string }>(these: readonly T[], those: readonly T[]): T[] {
  const names = new Set(those.map(({ name }) => name))
  return these.filter(({ name }) => !names.has(name))
}
