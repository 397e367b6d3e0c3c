export type * from './api/index.ts'
export {
  hostId,
  nodeName,
  type Role,
  roleOf,
  type TraceArea,
  type TraceDirection,
  type TraceMessage,
  traceAreas,
  traceLine,
  XclusterError,
} from './base/index.ts'
export * from './cluster/index.ts'
export type { DnsTraceValue } from './dns/index.ts'
export { GuestError, type GuestTraceValue } from './guest/index.ts'
export {
  type AddedNamespace,
  addNamedBridge,
  addNamedNamespace,
  type Examination,
  enterNamedNamespace,
  examine,
  type Finding,
  HostError,
  removeNamedNamespace,
  settleForwarding,
} from './host/index.ts'
export type { NetlinkTraceValue } from './netlink/index.ts'
export type {
  ClusterPlan,
  FabricKind,
  GuestBridge,
  Hop,
  NodeNet,
  NodePlan,
  NodeSetup,
  RoutePlan,
  RulePlan,
  Subnet,
} from './plan/index.ts'
export { PlanError, planCluster, reachTargets, topologies } from './plan/index.ts'
export type { QmpTraceValue } from './qmp/index.ts'
export type { VmTraceValue } from './vm/index.ts'
