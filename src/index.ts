export type * from './api/index.ts'
export { hostId, nodeName, type Role, roleOf, XclusterError } from './base/index.ts'
export * from './cluster/index.ts'
export { GuestError } from './guest/index.ts'
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
