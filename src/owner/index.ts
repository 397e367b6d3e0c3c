export type { OwnerAhead } from './ahead.ts'
export type * from './held.ts'
export { type Launch, launchOwner, type StartOrder, spawnOwner } from './launch.ts'
export { sweep } from './runtime-directory.ts'
export type { OwnerMessage } from './start-pipe.ts'

/** The parts of an owner, for a process that is one itself. They are much to load. */
export const ownerParts = () => import('./held.ts')
