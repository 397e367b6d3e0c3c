export type { OwnerAhead } from './ahead.ts'
export { type Launch, launchOwner, spawnOwner } from './launch.ts'
export { sweep } from './runtime-directory.ts'
export type { OwnerMessage, StartRequest } from './start-pipe.ts'
