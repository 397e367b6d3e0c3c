import { printable } from '../base/index.ts'
import type { CommandResult } from '../stream/index.ts'
import type { ExecOptions } from '../vm/index.ts'
import { GuestError } from './errors.ts'

export interface CommandOptions extends Omit<ExecOptions, 'outputLimit'> {
  /** Gives the outputs as text. Default: as bytes. */
  readonly encoding?: 'utf8'
  /** Throws EXEC_FAILED, with the end of its error output, unless the command ends with status 0. */
  readonly check?: boolean
}

/** The result of a command in a guest, as text. */
export interface CommandText extends Pick<CommandResult, 'status' | 'signal'> {
  readonly stdout: string
  readonly stderr: string
}

/** The most characters of error output in an error. */
const mostWords = 500

/** The result in the form that the options ask for. `guest` and `command` are for the error. */
export function shaped(
  result: CommandResult,
  { encoding, check }: CommandOptions,
  about: { readonly guest: string; readonly command: readonly string[] | string },
): CommandResult | CommandText {
  if (check && result.status !== 0) throw failed(result, about)
  if (encoding === undefined) return result
  const [stdout, stderr] = [textOf(result.stdout), textOf(result.stderr)]
  return { ...result, stdout, stderr }
}

function failed(
  { status, signal, stdout, stderr }: CommandResult,
  { guest, command }: { readonly guest: string; readonly command: readonly string[] | string },
): GuestError {
  const words = (textOf(stderr).trim() || textOf(stdout).trim()).slice(-mostWords)
  const end = signal === undefined ? `it ended with status ${status}` : `it was killed by signal ${signal}`
  return new GuestError({
    code: 'EXEC_FAILED',
    op: `run ${typeof command === 'string' ? command : command.join(' ')} on`,
    target: guest,
    reason: words === '' ? end : `${end}: ${printable(words, mostWords)}`,
  })
}

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
