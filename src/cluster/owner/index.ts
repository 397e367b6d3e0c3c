export { type Launch, type LaunchOptions, launchOwner } from './launch.ts'
export { clusterNames, sweep } from './runtime-directory.ts'
export type { OwnerMessage, StartRequest } from './start-pipe.ts'
