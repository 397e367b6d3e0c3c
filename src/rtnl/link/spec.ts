import type { NetNamespace } from '../../netlink/index.ts'
import type { LinkRef } from '../operation.ts'
import type { PortAttributes } from '../wire/index.ts'
import type * as kinds from './kind-spec.ts'

/** How an interface makes its IPv6 link-local address. With `none` it has no such address. */
export type AddrGenMode = 'eui64' | 'none' | 'stable-secret' | 'random'

/** Settings of an interface as a bridge's port: `bridge link set dev <name> …`. */
export type PortSettings = Omit<PortAttributes, 'unknown'>

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
}

/** The peer starts down. To bring it up, use a Route of its namespace. */
export type PeerSpec = Pick<LinkSpec, 'name' | 'mac' | 'mtu' | 'group' | 'index' | 'namespace'>

export interface LinkChange extends LinkSettings {
  /** The interface to change. */
  readonly name?: string
  readonly index?: number
  readonly newName?: string
  readonly port?: PortSettings
}

type Common = Omit<LinkSpec, 'kind' | 'peer' | 'link' | keyof kinds.KindSettings>
type Above = Common & { readonly link: LinkRef }
type BridgeSpec = Common & kinds.BridgeSettings

/** Separates the settings of every interface from those of its kind. */
function parted<Own extends object>(spec: Common & Own): [common: Common, own: Own] {
  const { name, index, mac, mtu, txQueueLength, master, group, addrGenMode, alias, up, namespace, ...own } =
    spec
  const common = { name, index, mac, mtu, txQueueLength, master, group, addrGenMode, alias, up, namespace }
  return [common as Common, own as unknown as Own]
}

/** A bridge, with all its settings in one object. `ip link add <name> type bridge …` */
export function bridge(spec: BridgeSpec): LinkSpec {
  const [common, own] = parted<kinds.BridgeSettings>(spec)
  return { ...common, kind: 'bridge', bridge: own }
}

/** A pair of connected interfaces, each in a namespace of its choice. `ip link add <name> type veth peer …` */
export function veth(spec: Common & { peer: PeerSpec }): LinkSpec {
  return { ...spec, kind: 'veth' }
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
  return { ...spec, kind: 'ifb' }
}

/** An interface that drops everything sent to it. `ip link add <name> type dummy` */
export function dummy(spec: Common): LinkSpec {
  return { ...spec, kind: 'dummy' }
}

/** A routing table for the interfaces whose master it is. `ip link add <name> type vrf table <n>` */
export function vrf(spec: Common & kinds.VrfSettings): LinkSpec {
  const [common, own] = parted<kinds.VrfSettings>(spec)
  return { ...common, kind: 'vrf', vrf: own }
}

/** Several interfaces as one. `ip link add <name> type bond mode …` */
export function bond(spec: Common & kinds.BondSettings): LinkSpec {
  const [common, own] = parted<kinds.BondSettings>(spec)
  return { ...common, kind: 'bond', bond: own }
}
