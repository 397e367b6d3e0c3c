import type { NodeState } from '../../api/index.ts'

/**
 * The states that may follow each state. `failed` may also follow any, but `stopping` and `stopped`. A clone that could
 * not resume and is booted instead goes from `booting` back to `starting`; a node that is reset goes back to `waiting`.
 *
 * ```text
 *  waiting ─▶ starting ⇄ booting ─▶ configuring ─▶ ready ⇄ paused
 *     ▲          └──────────┴──────────────┴─────────┼────────┴──▶ stopping ─▶ stopped
 *     └──────── reset, failed and stopped ones too ──┘
 * ```
 */
const next: Readonly<Record<NodeState, readonly NodeState[]>> = {
  waiting: ['starting', 'stopping'],
  starting: ['booting', 'starting', 'stopping'],
  booting: ['configuring', 'starting', 'stopping'],
  configuring: ['ready', 'stopping'],
  ready: ['paused', 'waiting', 'stopping'],
  paused: ['ready', 'waiting', 'stopping'],
  stopping: ['stopped'],
  stopped: ['waiting'],
  failed: ['waiting'],
}

/** The state of a node. It refuses transitions that the picture above does not have. */
export class NodeLifecycle {
  #state: NodeState = 'waiting'

  get state(): NodeState {
    return this.#state
  }

  /** True when its VM has ended. */
  get over(): boolean {
    return this.#state === 'stopped' || this.#state === 'failed'
  }

  enter(state: NodeState, name: string): void {
    if (state !== 'failed' && !next[this.#state].includes(state))
      throw new Error(`${name} cannot go from ${this.#state} to ${state}`)
    this.#state = state
  }
}
