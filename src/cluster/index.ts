export type {
  Capture,
  Headers,
  NetSetup,
  NetSetupContext,
  Packet,
  PacketWanted,
  QemuNetOptions,
  Recorded,
  Recording,
} from '../net/index.ts'
export { type EventOptions, listenTo } from './counted-events.ts'
export { ClusterError, startCancelled } from './errors.ts'
export type { SharedSnapshot } from './lab/about.ts'
export type { Fork, ForkOptions } from './lab/fork.ts'
export type { Lab, LabOptions } from './lab/lab.ts'
export { forkShared, openLab } from './lab/open.ts'
export { type PrepareHooks, prepareCluster } from './lab/prepare.ts'
export type { CaptureSpec, PacketOptions } from './network/captures.ts'
export type { LinkImpairment } from './network/impairments.ts'
export type { LinkChoice } from './network/seen.ts'
export { type PartOfLab, startCluster, startPart } from './start.ts'
export { withTopologyRead } from './topology.ts'
export type * from './types.ts'
