export type { ChangedSysctl, UplinkStatus } from '../api/index.ts'
export type { Clock, ErrorKind, Nic, Port, PortReceiver } from '../base/index.ts'
export type { Settings } from '../plan/index.ts'
export {
  type BridgeChange,
  type BridgePlan,
  type BridgeSpec,
  bridgeChange,
  type FabricKind,
  type Forward,
  forwardsOf,
  macOf,
  type NicPlan,
  type Pair,
  planBridges,
  planNics,
  planUnpluggedNics,
  planUplink,
  planUserNics,
  planUserSpace,
  type SegmentAddress,
  segmentOf,
  type TapSpec,
  type UplinkPlan,
  type UplinkRequest,
  type UserNicPlan,
  type UserSpacePlan,
  type UserWiring,
  type Wiring,
} from '../plan/index.ts'
export { NetNamespace, openTaps, Tap, type TapOptions } from '../sys/index.ts'
export { joinNets, type TunnelSpec, type TunnelsOptions } from './between/nets.ts'
export { largestRelayed } from './between/relay.ts'
export { type Seal, whyNoSeal } from './between/seal.ts'
export { type BridgeFabric, type FabricOptions, openBridgeFabric } from './bridge/fabric.ts'
export { suppressMldReports } from './bridge/mld.ts'
export { type Capture, type CaptureParts, openCapture } from './capture/capture.ts'
export { type CaptureTarget, captureFile } from './capture/file.ts'
export type { NamedLink } from './capture/links.ts'
export { type Recorded, type Recording, record } from './capture/record.ts'
export {
  type Capturable,
  type CapturedLink,
  captureFrames,
  type FrameReceiver,
  type FrameSource,
} from './capture/source.ts'
export { awaitPacket, type PacketWait, type PacketWanted } from './capture/wait.ts'
export { NetError } from './errors.ts'
export type { Fabric } from './fabric.ts'
export { mayFallBack } from './fallback.ts'
export { type KernelPart, missingKernelParts } from './kernel-parts.ts'
export {
  addBridgesTo,
  addNamespace,
  type HostSide,
  type NamedNamespaceSpec,
  removeNamespace,
} from './named-namespace.ts'
export { decodeFrame } from './packet/decode.ts'
export { type FrameFilter, frameFilter } from './packet/filter.ts'
export type {
  ArpFields,
  EthernetFields,
  Headers,
  IcmpFields,
  IpFields,
  Packet,
  TcpFields,
  TcpFlag,
  UdpFields,
} from './packet/packet.ts'
export { openScriptFabric, type ScriptFabricOptions } from './script/fabric.ts'
export { routeMulticast } from './script/multicast.ts'
export { type ScriptOptions, scriptSetup } from './script/script.ts'
export { impatient, type NetSetup, type NetSetupContext, type QemuNetOptions } from './script/setup.ts'
export type { Frame } from './segment/frame.ts'
export { pcap } from './segment/pcap.ts'
export { joinSegment, type Segment, type Traffic } from './segment/segment.ts'
export { hasNetem, impairTap, onTap, type TapImpairment } from './tap-impairment.ts'
export { setTapUp } from './tap-state.ts'
export type { Counted, InterfaceTraffic } from './traffic.ts'
export { dockerVethPair } from './uplink/docker.ts'
export { settleForwarding } from './uplink/forwarding.ts'
export { forwardingObstacles, type Obstacle } from './uplink/obstacles.ts'
export { openPasta, type PastaOptions } from './uplink/pasta.ts'
export { openUplink, type Uplink, type UplinkOptions } from './uplink/uplink.ts'
export { type VethEnd, type VethPair, vethPairOf } from './uplink/veth-pair.ts'
export { openUserFabric } from './user/fabric.ts'
