export { ClientError, noCluster } from './errors.ts'
export { type ExecQuestion, OwnerClient } from './owner-client.ts'
export type { ExecAnswer, NodeNet, NodeStatus, ReachReport, Status } from './values.ts'
