import type { OwnerMessage } from '../../owner/index.ts'

/** What an owner says before it is ready. Not all of it is shown. */
export type ProgressMessage = Exclude<OwnerMessage, { event: 'ready' | 'failed' }>

export interface Progress {
  show(message: ProgressMessage): void
  /** Nothing follows; a failure marks what was going on. Resolves when all is on the screen. */
  end(failure?: unknown): Promise<void>
}

export interface ProgressOptions {
  /** A list of tasks that changes in place, for a terminal; lines on stderr otherwise. */
  readonly live: boolean
  /** How many there will be. */
  readonly nodes: number
  /** Whether they are clones of templates. */
  readonly clones: boolean
}
