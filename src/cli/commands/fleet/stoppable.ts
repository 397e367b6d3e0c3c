import { durationText, systemClock } from '../../../base/index.ts'
import { CliError } from '../../errors.ts'

/** A wait that Ctrl-C, SIGTERM and a time limit end. */
export interface Stoppable extends Disposable {
  readonly signal: AbortSignal
  /** The exit status after a signal: 130 or 143. Undefined before, and after the time limit. */
  readonly status: number | undefined
}

/** The signals end the process as ever again once it is disposed of. */
export function stoppable(timeoutMs: number | undefined): Stoppable {
  const abort = new AbortController()
  let status: number | undefined
  const heard = (number: number) => () => {
    status ??= number
    abort.abort()
  }
  const listeners = { SIGINT: heard(130), SIGTERM: heard(143) } as const
  for (const [name, listener] of Object.entries(listeners)) process.on(name, listener)
  const cancel =
    timeoutMs === undefined ? () => {} : systemClock.after(timeoutMs, () => abort.abort(late(timeoutMs)))
  return {
    signal: abort.signal,
    get status() {
      return status
    },
    [Symbol.dispose]() {
      cancel()
      for (const [name, listener] of Object.entries(listeners)) process.off(name, listener)
    },
  }
}

function late(timeoutMs: number): CliError {
  return new CliError({
    code: 'JOB_LATE',
    op: 'wait for',
    target: 'the job',
    reason: `not all nodes were ready within ${durationText(timeoutMs)}`,
    remedy: 'It has been cancelled. Give a longer --timeout, or ask for fewer hosts',
  })
}
