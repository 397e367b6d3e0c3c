export type { ErrorKind } from '../base/index.ts'
export { type Lost, NetlinkError, NetNamespace, type Subscription } from '../netlink/index.ts'
export {
  type Family,
  FamilyCommands,
  Generic,
  type GenericCommand,
  type OpenOptions,
  openGeneric,
} from './generic.ts'
export type { GenericMessage } from './wire/generic.ts'
export type {
  Endpoint,
  WireGuardDevice,
  WireGuardPeer,
  WireGuardPeerSpec,
  WireGuardSpec,
} from './wireguard/device.ts'
export { openWireGuard, WireGuard } from './wireguard/wireguard.ts'
