export { type Examination, examine, type Finding } from './doctor/doctor.ts'
export { surroundings } from './environment.ts'
export { HostError } from './errors.ts'
export { type Ground, prepareGround, shapeAppend, specOf } from './host.ts'
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
export { Admission } from './start-limit.ts'
export { admitted, type Passed } from './start-queue.ts'
