import { type ErrorKind, firstFailure, messageOf, RemoteError, XclusterError } from '../base/index.ts'
import { asTyped } from './program-name.ts'

/** A command line that cannot be carried out, or a failure of `xc` itself. */
export class CliError extends XclusterError {}

export const exitStatus: Readonly<Record<ErrorKind, number>> = {
  failed: 1,
  usage: 2,
  missing: 3,
  prerequisite: 4,
}

/** The exit status for a failure. */
export function statusOf(failure: unknown): number {
  const first = firstFailure(failure)
  return first instanceof XclusterError ? exitStatus[first.kind] : 1
}

/** A failure as one line: what failed, why, and what to do. With `debug`, its stack and causes instead. */
export function explain(thrown: unknown, debug: boolean): string {
  const failure = debug ? thrown : firstFailure(thrown)
  if (debug) return `xc: ${stackOf(failure)}\n`
  const message = messageOf(failure).trim()
  if (failure instanceof XclusterError) {
    const { remedy = '' } = failure
    return `xc: ${endingIn(
      '.',
      message.replace(remedy, () => asTyped(remedy)),
    )}\n`
  }
  return `xc: internal error: ${endingIn('.', message)} Run it again with --debug and report what it prints.\n`
}

function endingIn(stop: string, text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}${stop}`
}

function stackOf(failure: unknown): string {
  if (!(failure instanceof Error)) return String(failure)
  const remote =
    failure instanceof RemoteError && failure.remoteStack ? `\nin the owner: ${failure.remoteStack}` : ''
  const cause = failure.cause === undefined ? '' : `\ncaused by: ${stackOf(failure.cause)}`
  const code = failure instanceof XclusterError ? ` [${failure.code}]` : ''
  return `${failure.stack ?? failure.message}${code}${remote}${cause}`
}
