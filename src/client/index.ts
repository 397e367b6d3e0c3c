export type { NodeStatus, ReachReport, Status } from '../api/index.ts'
export { answers, clusterNames, runningClusters } from './clusters.ts'
export { OwnerClient } from './owner-client.ts'
export { gone } from './process.ts'
