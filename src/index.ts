export type * from './api/index.ts'
export {
  type ErrorKind,
  hostId,
  nodeName,
  type Places,
  Queue,
  type Role,
  roleOf,
  type TraceArea,
  type TraceDirection,
  type TraceMessage,
  traceAreas,
  traceLine,
  XclusterError,
} from './base/index.ts'
export type * from './cluster/index.ts'
export {
  ClusterError,
  openLab,
  prepareCluster,
  startCancelled,
  startCluster,
} from './cluster/index.ts'
export type { DnsTraceValue } from './dns/index.ts'
export {
  type Copied,
  type CopyOptions,
  type CopyProgress,
  FileError,
  type PutOptions,
  type PutSource,
} from './files/index.ts'
export {
  type CommandOptions,
  type CommandText,
  GuestError,
  type GuestTraceValue,
} from './guest/index.ts'
export {
  type AddedNamespace,
  addNamedBridge,
  addNamedNamespace,
  type Examination,
  enterNamedNamespace,
  examine,
  type Finding,
  HostError,
  type Numbered,
  removeNamedNamespace,
  settleForwarding,
} from './host/index.ts'
export { buildImage, type GuestImage, ImageError, type ImageOptions } from './image/index.ts'
export type { NetlinkTraceValue } from './netlink/index.ts'
export type {
  ClusterPlan,
  FabricKind,
  GuestBridge,
  Hop,
  NodeNet,
  NodePlan,
  NodeSetup,
  ReachTarget,
  RoutePlan,
  RulePlan,
  SettingOptions,
  Settings,
  Subnet,
  Topology,
} from './plan/index.ts'
export {
  type Environment,
  PlanError,
  planCluster,
  reachTargets,
  resolveSettings,
  topologies,
} from './plan/index.ts'
export type { QmpTraceValue } from './qmp/index.ts'
export {
  CommandError,
  type CommandExit,
  type CommandResult,
  type RunningCommand,
  type TerminalSize,
} from './stream/index.ts'
export type { VmTraceValue } from './vm/index.ts'
