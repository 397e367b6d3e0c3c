export type { NetSetup, NetSetupContext, QemuNetOptions } from '../net/index.ts'
export { type Examination, examine, type Finding } from './doctor.ts'
export { ClusterError } from './errors.ts'
export {
  type AddedNamespace,
  addNamedBridge,
  addNamedNamespace,
  enterNamedNamespace,
  removeNamedNamespace,
  settleForwarding,
} from './named-namespaces.ts'
export { type Launch, launchOwner, type OwnerMessage, sweep } from './owner/index.ts'
export { startCluster } from './start.ts'
export type * from './types.ts'
