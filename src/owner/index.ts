export type { OwnerAhead } from './ahead.ts'
export { type Launch, launchOwner, type StartOrder, spawnOwner } from './launch.ts'
export { sweep } from './runtime-directory.ts'
export type { OwnerMessage } from './start-pipe.ts'
