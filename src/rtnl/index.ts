export { NetlinkError, NetNamespace, type Overrun, type Subscription } from '../netlink/index.ts'
export type { Address, AddressSpec } from './address.ts'
export type { AddressFilter } from './addresses.ts'
export type { FdbFilter } from './fdb.ts'
export type { FdbEntry, FdbSpec } from './fdb-entry.ts'
export type {
  BondSettings,
  BridgeSettings,
  IpvlanSettings,
  KindSettings,
  MacvlanSettings,
  VlanSettings,
  VrfSettings,
  VxlanSettings,
} from './kind-spec.ts'
export type { Link, OperState } from './link.ts'
export {
  type AddrGenMode,
  bond,
  bridge,
  dummy,
  ifb,
  type LinkChange,
  type LinkSettings,
  type LinkSpec,
  macvlan,
  type PeerSpec,
  type PortSettings,
  veth,
  vlan,
  vrf,
  vxlan,
} from './link-spec.ts'
export type { LinkFilter } from './links.ts'
export type { EventGroup, RouteEvent } from './monitor.ts'
export type { Neighbour, NeighbourSpec, NeighbourState } from './neighbour.ts'
export type { NeighbourFilter } from './neighbours.ts'
export { type Batch, openRoute, Route } from './open.ts'
export type { LinkRef } from './operation.ts'
export { type LinkPlace, type PlacedMessage, placedMessages } from './placed.ts'
export type { Lookup, RouteEntry, RouteMetrics, RouteSpec, RouteType, Way } from './route-spec.ts'
export type { RouteFilter } from './routes.ts'
export type { Ports, Rule, RuleAction, RuleSpec } from './rule.ts'
export type { Filter, FilterKey, FilterPlace, FilterSpec } from './traffic/filter.ts'
export type { Handle } from './traffic/handle.ts'
export type {
  ClassSpec,
  FifoSettings,
  FqCodelSettings,
  HtbSettings,
  IngressSettings,
  NetemSettings,
  Qdisc,
  QdiscSettings,
  QdiscSpec,
  TbfSettings,
  TrafficClass,
  TrafficStatistics,
} from './traffic/qdisc-spec.ts'
export type { QdiscPlace } from './traffic/qdiscs.ts'
