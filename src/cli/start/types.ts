import type { OwnerMessage } from '../../owner/index.ts'

/** The messages of an owner before it is ready. Not all of them are shown. */
export type ProgressMessage = Exclude<OwnerMessage, { type: 'ready' | 'failed' }>

export interface Progress {
  show(message: ProgressMessage): void
  /** Ends the display. A failure marks the unfinished tasks. Resolves when everything has been printed. */
  end(failure?: unknown): Promise<void>
}

export interface ProgressOptions {
  /** True: a list of tasks that changes in place, for a terminal. False: lines on stderr. */
  readonly live: boolean
  /** Nothing is shown: others are started at the same time. */
  readonly quiet?: boolean
  /** The number of nodes of the cluster. */
  readonly nodes: number
  /** True when nodes are clones of templates. */
  readonly clones: boolean
}
