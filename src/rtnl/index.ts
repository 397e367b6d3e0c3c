export { NetlinkError, NetNamespace, type Overrun, type Subscription } from '../netlink/index.ts'
export type { Address, AddressSpec } from './address/address.ts'
export type { AddressFilter } from './address/addresses.ts'
export type {
  BondSettings,
  BridgeSettings,
  IpvlanSettings,
  KindSettings,
  MacvlanSettings,
  VlanSettings,
  VrfSettings,
  VxlanSettings,
} from './link/kind-spec.ts'
export type { Link, OperState } from './link/link.ts'
export type { LinkFilter } from './link/links.ts'
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
} from './link/spec.ts'
export type { EventGroup, RouteEvent } from './monitor.ts'
export type { FdbFilter } from './neighbour/fdb.ts'
export type { FdbEntry, FdbSpec } from './neighbour/fdb-entry.ts'
export type { Neighbour, NeighbourSpec, NeighbourState } from './neighbour/neighbour.ts'
export type { NeighbourFilter } from './neighbour/neighbours.ts'
export { type Batch, openRoute, Route } from './open.ts'
export type { LinkRef } from './operation.ts'
export { type LinkPlace, type PlacedMessage, placedMessages } from './placed.ts'
export type { RouteFilter } from './route/routes.ts'
export type { Lookup, NextHop, RouteEntry, RouteMetrics, RouteSpec, RouteType } from './route/spec.ts'
export type { Ports, Rule, RuleAction, RuleSpec } from './rule/rule.ts'
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
