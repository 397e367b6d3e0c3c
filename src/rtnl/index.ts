export { NetlinkError, NetNamespace, type Overrun, type Subscription } from '../netlink/index.ts'
export type { Address, AddressSpec } from './address.ts'
export type { AddressFilter } from './addresses.ts'
export type { Link, OperState } from './link.ts'
export {
  type AddrGenMode,
  type BridgeSettings,
  bridge,
  type LinkChange,
  type LinkSettings,
  type LinkSpec,
  type PeerSpec,
  type PortSettings,
  veth,
} from './link-spec.ts'
export type { LinkFilter } from './links.ts'
export type { EventGroup, RouteEvent } from './monitor.ts'
export { type Batch, openRoute, Route } from './open.ts'
export type { LinkRef } from './operation.ts'
export { type LinkPlace, type PlacedMessage, placedMessages } from './placed.ts'
export type { RouteEntry, RouteSpec, RouteType, Way } from './route-spec.ts'
export type { RouteFilter } from './routes.ts'
export type { RuleSpec } from './rules.ts'
