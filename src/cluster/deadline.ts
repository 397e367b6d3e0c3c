import type { Clock } from '../base/index.ts'
import { ClusterError, startCancelled } from './errors.ts'
import type { ClusterNode } from './nodes/node.ts'
import type { StartHooks } from './types.ts'

export interface DeadlineOptions extends Pick<StartHooks, 'signal' | 'timeoutMs'> {
  readonly clock: Clock
  readonly nodes: () => readonly ClusterNode[]
}

/** Everything that can end a start before its time: the caller's signal, the clock, the failure of one node. */
export class StartDeadline implements Disposable {
  readonly #controller = new AbortController()
  readonly #end: () => void
  #reason: ClusterError | undefined
  #over = false

  constructor(name: string, { signal, timeoutMs, clock, nodes }: DeadlineOptions) {
    const cancel = () => this.abort(startCancelled(name, signal?.reason))
    const callOff =
      timeoutMs === undefined
        ? () => {}
        : clock.after(timeoutMs, () => this.abort(tooSlow(name, timeoutMs, nodes())))
    this.#end = () => {
      callOff()
      signal?.removeEventListener('abort', cancel)
    }
    if (signal?.aborted) cancel()
    else signal?.addEventListener('abort', cancel)
  }

  /** Aborted once, by whichever was first. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** What to tell the caller; undefined when it was a node's failure that ended it. */
  get reason(): ClusterError | undefined {
    return this.#reason
  }

  /** Ends the start; without effect once it is over, however it went. */
  abort(reason?: ClusterError): void {
    if (this.#over || this.signal.aborted) return
    this.#reason = reason
    this.#controller.abort()
  }

  /** Throws when it is over. */
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
    remedy: 'Give it longer (--timeout), or start fewer nodes',
  })
}
