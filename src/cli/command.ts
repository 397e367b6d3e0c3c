import type { Command } from 'commander'
import type { Verb } from '../api/index.ts'
import type { Session } from './session.ts'

/** What a command's own file gives: its arguments and options, and what it does. */
export interface CommandFile {
  configure(command: Command, session: Session): void
}

export interface CommandEntry {
  readonly name: string
  readonly alias?: string
  readonly summary: string
  /** What it asks a running cluster, if that is what it is for. */
  readonly verb?: Verb
  load(): Promise<CommandFile>
}
