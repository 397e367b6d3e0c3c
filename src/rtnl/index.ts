export type { ErrorKind } from '../base/index.ts'
export {
  type Lost,
  NetlinkError,
  type NetlinkPort,
  NetNamespace,
  type Subscription,
} from '../netlink/index.ts'
export type { Address, AddressSpec } from './address/address.ts'
export type { Addresses, AddressFilter } from './address/addresses.ts'
export type { VlanEntry, VlanEntrySpec } from './bridge/vlan.ts'
export type { Vlans } from './bridge/vlans.ts'
export type { BondSettings, BondState } from './link/bond.ts'
export type {
  BridgeSettings,
  IpvlanSettings,
  KindSettings,
  MacvlanSettings,
  VlanSettings,
  VrfSettings,
  VxlanSettings,
} from './link/kind-spec.ts'
export type { Link, OperState } from './link/link.ts'
export type { LinkFilter, Links } from './link/links.ts'
export {
  type AddrGenMode,
  bond,
  bridge,
  dummy,
  geneve,
  ifb,
  type LinkChange,
  type LinkSettings,
  type LinkSpec,
  macvlan,
  type PeerSpec,
  type PortSettings,
  tunnel,
  veth,
  vlan,
  vrf,
  vxlan,
  wireguard,
} from './link/spec.ts'
export type { BridgeState, LinkState, PortState, TunState } from './link/state.ts'
export type { GeneveSettings, TunnelKind, TunnelSettings } from './link/tunnels.ts'
export type { EventGroup, MonitorOptions, RouteEvent } from './monitor.ts'
export type { Namespaces } from './namespace/namespaces.ts'
export type { Fdb, FdbFilter } from './neighbour/fdb.ts'
export type { FdbEntry, FdbSpec } from './neighbour/fdb-entry.ts'
export type { Neighbour, NeighbourAges, NeighbourSpec, NeighbourState } from './neighbour/neighbour.ts'
export type { NeighbourFilter, Neighbours } from './neighbour/neighbours.ts'
export type { NextHopFilter, NextHops } from './nexthop/nexthops.ts'
export type {
  NextHopBucket,
  NextHopObject,
  NextHopObjectSpec,
  NextHopShare,
  Resilience,
} from './nexthop/spec.ts'
export { type Batch, type OpenRouteOptions, openRoute, Route } from './open.ts'
export type { LinkRef } from './operation.ts'
export { type LinkPlace, type PlacedMessage, placedMessages } from './placed.ts'
export type { Encap, IpEncap, MplsEncap, RawEncap, SegmentEncap } from './route/encap.ts'
export type { RouteMetric, RouteMetrics } from './route/metrics.ts'
export type { RouteFilter, Routes } from './route/routes.ts'
export type {
  Lookup,
  NextHop,
  Realms,
  RouteEntry,
  RouteFlag,
  RouterPreference,
  RouteSpec,
  RouteType,
  RouteWay,
} from './route/spec.ts'
export type { Ports, Rule, RuleAction, RuleSpec } from './rule/rule.ts'
export type { Rules } from './rule/rules.ts'
export type { Actions, ListedActions, Police, Verdict } from './traffic/actions.ts'
export type { Classes } from './traffic/classes.ts'
export type { FqSettings, PrioSettings, SfqRed, SfqSettings } from './traffic/fair-queues.ts'
export type { Filter, FilterKey, FilterPlace, FilterSpec } from './traffic/filter.ts'
export type { Filters } from './traffic/filters.ts'
export type { FlowerMatch, FlowerTunnel } from './traffic/flower.ts'
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
export type { QdiscPlace, Qdiscs } from './traffic/qdiscs.ts'
export type { NamesWanted } from './with-names.ts'
