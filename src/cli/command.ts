import type { Command } from 'commander'
import type { Verb } from '../api/index.ts'
import type { Session } from './session.ts'

/** The module of one command: it adds arguments, options and action. */
export interface CommandFile {
  /** `all` are the commands that this `xc` has, those of a hook among them. */
  configure(command: Command, session: Session, all: readonly CommandEntry[]): void
}

export interface CommandEntry {
  readonly name: string
  readonly alias?: string
  readonly summary: string
  /** The verb that it sends to a running cluster, if any. */
  readonly verb?: Verb
  load(): Promise<CommandFile>
}
