import type { NodeState } from '../../api/index.ts'

/**
 * Where a node may go from each state; `failed` from any that is not an end. From `booting` back to `starting`
 * goes a clone that did not wake up and is booted instead; back to `waiting`, one that is reset.
 *
 * ```text
 *  waiting ─▶ starting ⇄ booting ─▶ configuring ─▶ ready ⇄ paused
 *     ▲          └──────────┴──────────────┴─────────┼────────┴──▶ stopping ─▶ stopped
 *     └────────────── reset, failed ones too ────────┘
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
  stopped: [],
  failed: ['waiting'],
}

/** The state a node is in, and the guard of the picture above. */
export class NodeLifecycle {
  #state: NodeState = 'waiting'

  get state(): NodeState {
    return this.#state
  }

  /** True when it has no VM any more. */
  get over(): boolean {
    return this.#state === 'stopped' || this.#state === 'failed'
  }

  enter(state: NodeState, name: string): void {
    if (state !== 'failed' && !next[this.#state].includes(state))
      throw new Error(`${name} cannot go from ${this.#state} to ${state}`)
    this.#state = state
  }
}
