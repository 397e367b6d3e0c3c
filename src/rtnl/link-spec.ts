import type { NetNamespace } from '../netlink/index.ts'
import type { LinkRef } from './operation.ts'
import type { BridgeAttributes, PortAttributes } from './wire/index.ts'

/** How an interface makes its IPv6 link-local address; `none`: not at all. */
export type AddrGenMode = 'eui64' | 'none' | 'stable-secret' | 'random'

/** A bridge's own settings: `ip link … type bridge …`. Times in hundredths of a second. */
export type BridgeSettings = Omit<BridgeAttributes, 'unknown'>

/** Settings of an interface as a bridge's port: `bridge link set dev <name> …`. */
export type PortSettings = Omit<PortAttributes, 'unknown'>

/** What any interface has. Left out means: as it is. */
export interface LinkSettings {
  /** `00:00:00:01:00:fa`. */
  readonly mac?: string
  readonly mtu?: number
  readonly txQueueLength?: number
  /** The bridge it is a port of; `null` takes it out. */
  readonly master?: LinkRef | null
  /** A number by which many interfaces are removed at once. */
  readonly group?: number
  readonly addrGenMode?: AddrGenMode
  readonly alias?: string
  readonly up?: boolean
  /** Where it goes (or is made). */
  readonly namespace?: NetNamespace
  readonly bridge?: BridgeSettings
}

export interface LinkSpec extends LinkSettings {
  readonly name: string
  /** `bridge`, `veth`, `ifb`, … */
  readonly kind: string
  /** Give one to refer to the interface later without asking the kernel for it. */
  readonly index?: number
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

type BridgeSpec = Omit<LinkSpec, 'kind' | 'peer' | 'bridge'> & BridgeSettings

/** A bridge, all its settings in one object. `ip link add <name> type bridge …` */
export function bridge(spec: BridgeSpec): LinkSpec {
  const { name, index, mac, mtu, txQueueLength, master, group, addrGenMode, alias, up, namespace, ...own } =
    spec
  const common = { name, index, mac, mtu, txQueueLength, master, group, addrGenMode, alias, up, namespace }
  return { ...(common as Omit<LinkSpec, 'kind'>), kind: 'bridge', bridge: own }
}

/** A cable with two ends, each in a namespace of its choice. `ip link add <name> type veth peer …` */
export function veth(spec: Omit<LinkSpec, 'kind' | 'bridge'> & { peer: PeerSpec }): LinkSpec {
  return { ...spec, kind: 'veth' }
}
