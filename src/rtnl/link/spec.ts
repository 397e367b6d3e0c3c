import type { NetNamespace } from '../../netlink/index.ts'
import type { LinkRef } from '../operation.ts'
import { take } from '../takes.ts'
import type { PortAttributes, PortSettingNames } from '../wire/index.ts'
import type { addrGenModes } from '../words.ts'
import type { BondSettings } from './bond.ts'
import type * as kinds from './kind-spec.ts'
import type { GeneveSettings, TunnelKind, TunnelSettings } from './tunnels.ts'

/** How an interface makes its IPv6 link-local address. With `none` it has no such address. */
export type AddrGenMode = (typeof addrGenModes)[number]

/** Settings of an interface as a bridge's port: `bridge link set dev <name> …`. */
export type PortSettings = Pick<PortAttributes, PortSettingNames>

/** The settings that any interface has. One that is left out stays unchanged. */
export interface LinkSettings extends kinds.KindSettings {
  /** `00:00:00:01:00:fa`. */
  readonly mac?: string
  readonly mtu?: number
  readonly txQueueLength?: number
  /** The bridge, bond or VRF that it is a port of. `null` removes it from there. */
  readonly master?: LinkRef | null
  /** A number for removing many interfaces at once. */
  readonly group?: number
  readonly addrGenMode?: AddrGenMode
  readonly alias?: string
  readonly up?: boolean
  /** Receives frames for any address; any multicast frame. */
  readonly promiscuous?: boolean
  readonly allMulticast?: boolean
  /** Resolves addresses (ARP, NDP). Sends multicast. */
  readonly arp?: boolean
  readonly multicast?: boolean
  /** The largest packets and most segments that are handed to its driver at once (GSO), and collected from it (GRO). */
  readonly gsoMaxSize?: number
  readonly gsoMaxSegments?: number
  readonly groMaxSize?: number
  /** The namespace that it is moved to, or created in. */
  readonly namespace?: NetNamespace
}

export interface LinkSpec extends LinkSettings {
  readonly name: string
  /** `bridge`, `veth`, `ifb`, … */
  readonly kind: string
  /** Choose an index to refer to the interface later without asking the kernel for it. */
  readonly index?: number
  /** The lower interface (vlan, macvlan, ipvlan). */
  readonly link?: LinkRef
  /** The peer of a veth. */
  readonly peer?: PeerSpec
  /** Queues for sending and receiving. */
  readonly txQueues?: number
  readonly rxQueues?: number
}

/** The peer starts down. To bring it up, use a Route of its namespace. */
export type PeerSpec = Pick<LinkSpec, 'name' | 'mac' | 'mtu' | 'group' | 'index' | 'namespace'>

export interface LinkChange extends LinkSettings {
  /** The interface to change. */
  readonly name?: string
  readonly index?: number
  readonly newName?: string
  /** Needed with `data`. */
  readonly kind?: string
  readonly port?: PortSettings
}

type Common = Pick<LinkSpec, (typeof commonNames)[number]>
type Above = Common & { readonly link: LinkRef }
type BridgeSpec = Common & kinds.BridgeSettings

const commonNames = [
  ...([
    'name',
    'index',
    'mac',
    'mtu',
    'txQueueLength',
    'master',
    'group',
    'addrGenMode',
    'alias',
    'up',
  ] as const),
  ...(['namespace', 'promiscuous', 'allMulticast', 'arp', 'multicast', 'txQueues', 'rxQueues'] as const),
  ...(['gsoMaxSize', 'gsoMaxSegments', 'groMaxSize'] as const),
]
const isCommon: ReadonlySet<string> = new Set(commonNames)

/** Separates the settings of every interface from those of its kind. */
function parted<Own extends object>(spec: Common & Own): [common: Common, own: Own] {
  take('describe link', spec, 'object')
  const [common, own]: [Record<string, unknown>, Record<string, unknown>] = [{}, {}]
  for (const [name, value] of Object.entries(spec)) (isCommon.has(name) ? common : own)[name] = value
  return [common as unknown as Common, own as Own]
}

/** A bridge, with all its settings in one object. `ip link add <name> type bridge …` */
export function bridge(spec: BridgeSpec): LinkSpec {
  const [common, own] = parted<kinds.BridgeSettings>(spec)
  return { ...common, kind: 'bridge', bridge: own }
}

/** A pair of connected interfaces, each in a namespace of its choice. `ip link add <name> type veth peer …` */
export function veth(spec: Common & { peer: PeerSpec }): LinkSpec {
  return { ...take('describe link', spec, 'object'), kind: 'veth' }
}

/** Ethernet over UDP (RFC 7348). `ip link add <name> type vxlan id <vni> …` */
export function vxlan(spec: Common & kinds.VxlanSettings): LinkSpec {
  const [common, own] = parted<kinds.VxlanSettings>(spec)
  return { ...common, kind: 'vxlan', vxlan: own }
}

/**
 * An interface with an Ethernet address of its own on top of another. `ip link add link <link> name <name>
 * type macvlan mode …`
 */
export function macvlan(spec: Above & kinds.MacvlanSettings): LinkSpec {
  const [common, { link, ...own }] = parted<{ link: LinkRef } & kinds.MacvlanSettings>(spec)
  return { ...common, link, kind: 'macvlan', macvlan: own }
}

/** The traffic of another interface with one VLAN tag. `ip link add link <link> name <name> type vlan id <id>` */
export function vlan(spec: Above & kinds.VlanSettings): LinkSpec {
  const [common, { link, ...own }] = parted<{ link: LinkRef } & kinds.VlanSettings>(spec)
  return { ...common, link, kind: 'vlan', vlan: own }
}

/** An interface that queues traffic redirected to it (see `filters`). `ip link add <name> type ifb` */
export function ifb(spec: Common): LinkSpec {
  return { ...take('describe link', spec, 'object'), kind: 'ifb' }
}

/** An interface that drops everything sent to it. `ip link add <name> type dummy` */
export function dummy(spec: Common): LinkSpec {
  return { ...take('describe link', spec, 'object'), kind: 'dummy' }
}

/** A routing table for the interfaces whose master it is. `ip link add <name> type vrf table <n>` */
export function vrf(spec: Common & kinds.VrfSettings): LinkSpec {
  const [common, own] = parted<kinds.VrfSettings>(spec)
  return { ...common, kind: 'vrf', vrf: own }
}

/** Ethernet over UDP with options (RFC 8926). `ip link add <name> type geneve id <vni> remote <address>` */
export function geneve(spec: Common & GeneveSettings): LinkSpec {
  const [common, own] = parted<GeneveSettings>(spec)
  return { ...common, kind: 'geneve', geneve: own }
}

/**
 * A tunnel over IP: `gre`, `ip6gre` (IP inside), `gretap`, `ip6gretap` (Ethernet inside), `ipip`, `sit`, `ip6tnl`
 * (IP inside, without a header of its own), `vti`, `vti6` (IPsec). `ip link add <name> type <kind> remote … local …`
 */
export function tunnel(spec: Common & TunnelSettings & { readonly kind: TunnelKind }): LinkSpec {
  const [common, { kind, ...own }] = parted<TunnelSettings & { kind: TunnelKind }>(spec)
  return { ...common, kind, tunnel: own }
}

/** An encrypted tunnel. Its keys and peers: `openWireGuard` of `xcluster/genl`. `ip link add <name> type wireguard` */
export function wireguard(spec: Common): LinkSpec {
  return { ...take('describe link', spec, 'object'), kind: 'wireguard' }
}

/** Several interfaces as one. `ip link add <name> type bond mode …` */
export function bond(spec: Common & BondSettings): LinkSpec {
  const [common, own] = parted<BondSettings>(spec)
  return { ...common, kind: 'bond', bond: own }
}
