export { type Launch, launchOwner } from './launch.ts'
export { sweep } from './runtime-directory.ts'
export type { OwnerMessage } from './start-pipe.ts'
