import type { Clock } from '../base/index.ts'
import { settingText, withTimes } from '../base/index.ts'
import { ClusterError, startCancelled } from './errors.ts'
import type { ClusterNode } from './nodes/node.ts'
import type { StartHooks } from './types.ts'

export interface DeadlineOptions extends Pick<StartHooks, 'signal' | 'timeoutMs'> {
  readonly clock: Clock
  readonly nodes: () => readonly ClusterNode[]
}

/** Aborts a start early: on the caller's signal, when its time limit passes, or when a node fails. */
export class StartDeadline implements Disposable {
  readonly #controller = new AbortController()
  readonly #end: () => void
  #reason: ClusterError | undefined
  #over = false

  constructor(name: string, { signal, timeoutMs, clock, nodes }: DeadlineOptions) {
    withTimes(`start cluster ${name}`, { timeoutMs })
    const cancel = () => this.abort(startCancelled(name, signal?.reason))
    const cancelTimer =
      timeoutMs === undefined
        ? () => {}
        : clock.after(timeoutMs, () => this.abort(tooSlow(name, timeoutMs, nodes())))
    this.#end = () => {
      cancelTimer()
      signal?.removeEventListener('abort', cancel)
    }
    if (signal?.aborted) cancel()
    else signal?.addEventListener('abort', cancel)
  }

  /** Aborts once, on the first of these. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** The error for the caller. Undefined after a node's failure, which is an error of its own. */
  get reason(): ClusterError | undefined {
    return this.#reason
  }

  /** Aborts the start. Has no effect after the start has ended, in success or failure. */
  abort(reason?: ClusterError): void {
    if (this.#over || this.signal.aborted) return
    this.#reason = reason
    this.#controller.abort()
  }

  /** Throws the reason once there is one. */
  check(): void {
    if (this.#reason) throw this.#reason
  }

  [Symbol.dispose](): void {
    this.#over = true
    this.#end()
  }
}

function tooSlow(name: string, timeoutMs: number, nodes: readonly ClusterNode[]): ClusterError {
  const late = nodes
    .filter(({ state }) => state !== 'ready')
    .map(({ plan, state }) => `${plan.name} is ${state}`)
  return new ClusterError({
    code: 'START_TIMEOUT',
    op: 'start cluster',
    target: name,
    reason: `not ready after ${timeoutMs / 1000} s${late.length > 0 ? `: ${late.join(', ')}` : ''}`,
    remedy: `Give it longer (${settingText('timeout')}), or start fewer nodes`,
  })
}
