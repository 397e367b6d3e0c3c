export type { NetSetup, NetSetupContext, QemuNetOptions } from '../net/index.ts'
export { ClusterError, startCancelled } from './errors.ts'
export { startCluster } from './start.ts'
export type * from './types.ts'
