import type { NetNamespace } from '../../netlink/index.ts'
import type { LinkRef } from '../operation.ts'
import type { PortAttributes } from '../wire/index.ts'
import type * as kinds from './kind-spec.ts'

/** How an interface makes its IPv6 link-local address; `none`: not at all. */
export type AddrGenMode = 'eui64' | 'none' | 'stable-secret' | 'random'

/** Settings of an interface as a bridge's port: `bridge link set dev <name> …`. */
export type PortSettings = Omit<PortAttributes, 'unknown'>

/** What any interface has. Left out means: as it is. */
export interface LinkSettings extends kinds.KindSettings {
  /** `00:00:00:01:00:fa`. */
  readonly mac?: string
  readonly mtu?: number
  readonly txQueueLength?: number
  /** The bridge (or bond, or VRF) it is a port of; `null` takes it out. */
  readonly master?: LinkRef | null
  /** A number by which many interfaces are removed at once. */
  readonly group?: number
  readonly addrGenMode?: AddrGenMode
  readonly alias?: string
  readonly up?: boolean
  /** Where it goes (or is made). */
  readonly namespace?: NetNamespace
}

export interface LinkSpec extends LinkSettings {
  readonly name: string
  /** `bridge`, `veth`, `ifb`, … */
  readonly kind: string
  /** Give one to refer to the interface later without asking the kernel for it. */
  readonly index?: number
  /** The interface it stands on (vlan, macvlan, ipvlan). */
  readonly link?: LinkRef
  /** A veth's other end. */
  readonly peer?: PeerSpec
}

/** It is down at first: `up` is for a Route of its namespace. */
export type PeerSpec = Pick<LinkSpec, 'name' | 'mac' | 'mtu' | 'group' | 'index' | 'namespace'>

export interface LinkChange extends LinkSettings {
  /** Which one. */
  readonly name?: string
  readonly index?: number
  readonly newName?: string
  readonly port?: PortSettings
}

type Common = Omit<LinkSpec, 'kind' | 'peer' | 'link' | keyof kinds.KindSettings>
type Above = Common & { readonly link: LinkRef }
type BridgeSpec = Common & kinds.BridgeSettings

/** Parts what every interface has from what only its kind has. */
function parted<Own extends object>(spec: Common & Own): [common: Common, own: Own] {
  const { name, index, mac, mtu, txQueueLength, master, group, addrGenMode, alias, up, namespace, ...own } =
    spec
  const common = { name, index, mac, mtu, txQueueLength, master, group, addrGenMode, alias, up, namespace }
  return [common as Common, own as unknown as Own]
}

/** A bridge, all its settings in one object. `ip link add <name> type bridge …` */
export function bridge(spec: BridgeSpec): LinkSpec {
  const [common, own] = parted<kinds.BridgeSettings>(spec)
  return { ...common, kind: 'bridge', bridge: own }
}

/** A cable with two ends, each in a namespace of its choice. `ip link add <name> type veth peer …` */
export function veth(spec: Common & { peer: PeerSpec }): LinkSpec {
  return { ...spec, kind: 'veth' }
}

/** An Ethernet over UDP (RFC 7348). `ip link add <name> type vxlan id <vni> …` */
export function vxlan(spec: Common & kinds.VxlanSettings): LinkSpec {
  const [common, own] = parted<kinds.VxlanSettings>(spec)
  return { ...common, kind: 'vxlan', vxlan: own }
}

/** An address of its own on another interface. `ip link add link <link> name <name> type macvlan mode …` */
export function macvlan(spec: Above & kinds.MacvlanSettings): LinkSpec {
  const [common, { link, ...own }] = parted<{ link: LinkRef } & kinds.MacvlanSettings>(spec)
  return { ...common, link, kind: 'macvlan', macvlan: own }
}

/** One tag's traffic of another interface. `ip link add link <link> name <name> type vlan id <id>` */
export function vlan(spec: Above & kinds.VlanSettings): LinkSpec {
  const [common, { link, ...own }] = parted<{ link: LinkRef } & kinds.VlanSettings>(spec)
  return { ...common, link, kind: 'vlan', vlan: own }
}

/** Where redirected traffic gets a queue of its own: see `filters`. `ip link add <name> type ifb` */
export function ifb(spec: Common): LinkSpec {
  return { ...spec, kind: 'ifb' }
}

/** An interface that swallows what it is given. `ip link add <name> type dummy` */
export function dummy(spec: Common): LinkSpec {
  return { ...spec, kind: 'dummy' }
}

/** A routing table for the interfaces that have it for a master. `ip link add <name> type vrf table <n>` */
export function vrf(spec: Common & kinds.VrfSettings): LinkSpec {
  const [common, own] = parted<kinds.VrfSettings>(spec)
  return { ...common, kind: 'vrf', vrf: own }
}

/** Several interfaces as one. `ip link add <name> type bond mode …` */
export function bond(spec: Common & kinds.BondSettings): LinkSpec {
  const [common, own] = parted<kinds.BondSettings>(spec)
  return { ...common, kind: 'bond', bond: own }
}
