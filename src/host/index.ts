export {
  findOverlay,
  listOverlays,
  makeOverlay,
  merge,
  type OverlayContent,
  type OverlaySource,
  overlayArchive,
  plainArchive,
  readOverlay,
  readPrograms,
  sourceOf,
  writeCdrom,
  writeTar,
} from '../overlay/index.ts'
export { makeDirectory } from '../sys/index.ts'
export { type AdditionsOptions, guestRoots, lackingPackages, NodeAdditions } from './additions.ts'
export { type Examination, examine, type Finding } from './doctor/doctor.ts'
export { type ProcessEnvironment, processEnvironment } from './environment.ts'
export { HostError } from './errors.ts'
export { extendImage } from './extended-image.ts'
export { findHostResources, type HostResources, shapeAppend, specOf } from './host.ts'
export { readLoad } from './load.ts'
export { checkMemory, freeMemory, nodeMiB, templatesMiB } from './memory.ts'
export {
  type AddedNamespace,
  addNamedBridge,
  addNamedNamespace,
  enterNamedNamespace,
  type Numbered,
  removeNamedNamespace,
  settleForwarding,
} from './named-namespaces.ts'
export { loadAverages, processorMs } from './processor-time.ts'
export { buildKernel, fetchPackages, setUp } from './set-up.ts'
export { softwareKeys } from './software.ts'
export { type Load, StartLimit } from './start-limit.ts'
export { type Passed, startInTurn } from './start-queue.ts'
export { findXterm, openXterm } from './xterm.ts'
