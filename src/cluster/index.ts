export type { NetSetup, NetSetupContext, QemuNetOptions } from '../net/index.ts'
export { type Examination, examine, type Finding } from './doctor.ts'
export { ClusterError, startCancelled } from './errors.ts'
export {
  type AddedNamespace,
  addNamedBridge,
  addNamedNamespace,
  enterNamedNamespace,
  removeNamedNamespace,
  settleForwarding,
} from './named-namespaces.ts'
export { startCluster } from './start.ts'
export type * from './types.ts'
