export { type Launch, type LaunchOptions, launchOwner } from './launch.ts'
export { sweep } from './runtime-directory.ts'
export type { OwnerMessage, StartRequest } from './start-pipe.ts'
