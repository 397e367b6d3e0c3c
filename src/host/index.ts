export { type Examination, examine, type Finding } from './doctor/doctor.ts'
export { type ProcessEnvironment, processEnvironment } from './environment.ts'
export { HostError } from './errors.ts'
export { findHostResources, type HostResources, shapeAppend, specOf } from './host.ts'
export { readLoad } from './load.ts'
export { checkMemory } from './memory.ts'
export {
  type AddedNamespace,
  addNamedBridge,
  addNamedNamespace,
  enterNamedNamespace,
  removeNamedNamespace,
  settleForwarding,
} from './named-namespaces.ts'
export { type Load, StartLimit } from './start-limit.ts'
export { type Passed, startInTurn } from './start-queue.ts'
