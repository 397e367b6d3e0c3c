import {
  type ErrorKind,
  firstFailure,
  indentedLines,
  messageOf,
  RemoteError,
  systemFailure,
  withOptions,
  XclusterError,
} from '../base/index.ts'
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
  const thrown = firstFailure(failure)
  const first = systemFailure(thrown) ?? thrown
  return first instanceof XclusterError ? exitStatus[first.kind] : 1
}

/**
 * A failure as one line: what failed, why, and what to do. With `debug`, its stack and causes instead. A guest may have
 * said some of it: control characters are shown as escapes, and more lines are indented.
 */
export function explain(thrown: unknown, debug: boolean): string {
  return `${indentedLines(explained(thrown, debug))}\n`
}

function explained(thrown: unknown, debug: boolean): string {
  const first = firstFailure(thrown)
  const failure = debug ? thrown : (systemFailure(first) ?? first)
  if (debug) return `xc: ${stackOf(failure)}`
  const message = messageOf(failure).trim()
  if (failure instanceof XclusterError) {
    // Not in its reason, which may have a guest's own words.
    const { target = '', remedy = '' } = failure
    const typed = message
      .replace(target, () => withOptions(target))
      .replace(remedy, () => asTyped(withOptions(remedy, ofCluster())))
    return `xc: ${endingIn('.', typed)}`
  }
  return `xc: internal error: ${endingIn('.', message)} Run it again with --debug and report what it prints.`
}

/** What commands need to be for the same cluster: its `--name`, where one was typed. */
function ofCluster(typed: readonly string[] = process.argv.slice(2)): string {
  const own = typed.includes('--') ? typed.slice(0, typed.indexOf('--')) : typed
  const at = own.findIndex(word => /^--name(=|$)/.test(word))
  return at < 0 ? '' : own.slice(at, at + (own[at] === '--name' ? 2 : 1)).join(' ')
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
