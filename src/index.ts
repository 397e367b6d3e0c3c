export type * from './api/index.ts'
export { XclusterError } from './base/index.ts'
export * from './cluster/index.ts'
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
export {
  hostId,
  nodeName,
  PlanError,
  planCluster,
  type Role,
  reachTargets,
  roleOf,
  topologies,
} from './plan/index.ts'
