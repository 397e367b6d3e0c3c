import { type Cidr, hostId, macText } from '../../base/index.ts'

/** The bridge of one net, in the cluster's namespace. */
export interface BridgeSpec {
  readonly net: number
  /** `xcbr<N>` */
  readonly name: string
  /** Chosen here, so that taps can name their master in the same batch that creates it. */
  readonly index: number
  /**
   * The bridge's Ethernet address, with the host's id as its last byte. Unless it is fixed, a bridge takes
   * the lowest address of its ports. A forked guest keeps its neighbour entry of the host.
   */
  readonly mac: string
  /** The host's own addresses in the net. */
  readonly addresses: readonly Cidr[]
}

/** The tap between one node's interface and the bridge of its net. */
export interface TapSpec {
  readonly node: number
  readonly net: number
  /** `xcbr<N>_t<node>` */
  readonly name: string
  /** The guest's Ethernet address. */
  readonly mac: string
}

/** The bridges and taps of a cluster's network namespace, before they exist. */
export interface BridgePlan {
  readonly mtu: number
  /** The MTU of each net that has one of its own. */
  readonly mtus?: Readonly<Record<number, number>>
  readonly bridges: readonly BridgeSpec[]
  readonly taps: readonly TapSpec[]
}

/** What a cluster needs from its network. */
export interface Wiring {
  readonly mtu: number
  readonly mtus?: Readonly<Record<number, number>>
  /** The nets of each node, in the order of the node's interfaces. */
  readonly nodes: readonly { readonly id: number; readonly nets: readonly number[] }[]
  /** The host's addresses in each net. */
  readonly host: ReadonlyMap<number, readonly Cidr[]>
}

/** The Ethernet address of a node's interface: `00:00:00:01:<net>:<node>`. */
export function macOf(net: number, node: number): string {
  return macText(Uint8Array.of(0, 0, 0, 1, net, node))
}

/** Above every index that the kernel assigns in a fresh namespace. */
const firstBridgeIndex = 100_000

/** The bridges and taps for `wiring`. Pure: {@link openBridgeFabric} makes them. */
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

/** One interface of a node: its tap, and the QEMU options for it (see base's Nic). */
export interface NicPlan {
  readonly tap: string
  readonly args: readonly string[]
}

/** A node's interfaces, eth0 first. */
export function planNics({ taps }: Pick<BridgePlan, 'taps'>, node: number): NicPlan[] {
  const own = taps.filter(tap => tap.node === node)
  return own.map(({ name, mac }, index) => ({ tap: name, args: nicArgs(index, mac) }))
}

/** `romfile=`: guests do not boot over the network, and the option ROM would cost time at every start. */
function nicArgs(index: number, mac: string): string[] {
  const device = `virtio-net-pci,netdev=net${index},id=nic${index},mac=${mac},romfile=`
  return ['-netdev', `tap,id=net${index},fd={fd0}`, '-device', device]
}

/** The changes that turn one network into another. What both have is left alone. */
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
  if (those.length === 0) return [...these]
  const names = new Set(those.map(({ name }) => name))
  return these.filter(({ name }) => !names.has(name))
}
