export { type BridgeFabric, type FabricOptions, openBridgeFabric } from './bridge-fabric.ts'
export type { BridgeChange, BridgePlan, BridgeSpec, NicPlan, TapSpec, Wiring } from './bridge-plan.ts'
export { bridgeChange, macOf, planBridges, planNics } from './bridge-plan.ts'
export { NetError } from './errors.ts'
export type { Fabric, FabricKind } from './fabric.ts'
export { missingKernelParts } from './kernel-parts.ts'
export {
  addBridgesTo,
  addNamespace,
  type NamedNamespaceSpec,
  removeNamespace,
  type Surroundings,
} from './named-namespace.ts'
export { openPasta, type PastaOptions } from './pasta.ts'
export { quietJoins } from './quiet-joins.ts'
export { openScriptFabric } from './script/fabric.ts'
export { scriptSetup } from './script/script.ts'
export { impatient, type NetSetup, type NetSetupContext, type QemuNetOptions } from './script/setup.ts'
export type { Frame } from './segment/frame.ts'
export { type SegmentAddress, segmentOf } from './segment/group.ts'
export { pcap } from './segment/pcap.ts'
export { joinSegment, type Segment, type Traffic } from './segment/segment.ts'
export { openUplink, type Uplink, type UplinkOptions, type UplinkStatus } from './uplink.ts'
export { type Cable, type CableEnd, cableOf } from './uplink-cable.ts'
export { dockerCable } from './uplink-docker.ts'
export { type ChangedSysctl, restoreForwarding } from './uplink-forwarding.ts'
export { forwardingObstacles, type Obstacle } from './uplink-obstacles.ts'
export { type Pair, planUplink, type UplinkPlan, type UplinkWish } from './uplink-plan.ts'
export { planUserSpace, type UserSpacePlan } from './user/check.ts'
export { openUserFabric } from './user/fabric.ts'
export type { Forward, UserNicPlan, UserWiring } from './user/plan.ts'
export { forwardsOf, planUnpluggedNics, planUserNics } from './user/plan.ts'
