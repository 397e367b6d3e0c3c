import type { MachineState } from '../types.ts'

/**
 * ```text
 *  starting ──▶ running ──▶ ready ──▶ stopping ──▶ stopped     starting  until QEMU's monitor answers
 *      │           │          │          │                     running   the guest executes
 *      ├───────────┴──────────┼──────────┘                     ready     its agent has answered
 *      │  (also to stopping)  ▼                                stopping  stop() or kill() was called
 *      └───────────────────▶ failed                            stopped   ended as requested
 *                                                              failed    ended by itself or given up, with a reason
 * ```
 */
const after: Readonly<Record<MachineState, readonly MachineState[]>> = {
  starting: ['running', 'stopping', 'failed'],
  running: ['ready', 'stopping', 'failed'],
  ready: ['stopping', 'failed'],
  stopping: ['stopped', 'failed'],
  stopped: [],
  failed: [],
}

/** The state of a machine. It allows only the transitions in the picture above. */
export class Lifecycle {
  #state: MachineState = 'starting'

  get state(): MachineState {
    return this.#state
  }

  /** True while QEMU runs and its end was not requested. */
  get alive(): boolean {
    return this.#state === 'starting' || this.#state === 'running' || this.#state === 'ready'
  }

  enter(next: MachineState): void {
    if (!after[this.#state].includes(next))
      throw new Error(`a machine cannot go from ${this.#state} to ${next}`)
    this.#state = next
  }
}
