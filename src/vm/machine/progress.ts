import { Broadcast, type Clock, type Queue } from '../../base/index.ts'
import { tellMilestone, tellState, trace } from '../trace.ts'
import type { MachineEvent, MachineState, Milestone } from '../types.ts'
import { Lifecycle } from './states.ts'

/** The events of a machine so far, and their listeners. */
export class Progress {
  readonly #name: string
  readonly #clock: Clock
  readonly #began: number
  readonly #lifecycle = new Lifecycle()
  readonly #listeners = new Broadcast<MachineEvent>()
  readonly milestones: Partial<Record<Milestone, number>> = {}
  #reached: Milestone = 'spawned'

  /** `began`: by the clock, when it was called for. */
  constructor(name: string, clock: Clock, began: number) {
    this.#name = name
    this.#clock = clock
    this.#began = began
  }

  get state(): MachineState {
    return this.#lifecycle.state
  }

  /** True while QEMU runs, its end was not requested, and nothing has failed. */
  get alive(): boolean {
    return this.#lifecycle.alive
  }

  /** The last milestone passed. */
  get reached(): Milestone {
    return this.#reached
  }

  events(): Queue<MachineEvent> {
    return this.#listeners.listen()
  }

  pass(milestone: Milestone): void {
    if (this.milestones[milestone] !== undefined) return
    const atMs = this.#atMs()
    this.milestones[milestone] = atMs
    this.#reached = milestone
    if (trace.on) tellMilestone(this.#name, milestone, atMs)
    this.#listeners.send({ type: 'milestone', milestone, atMs })
  }

  enter(state: MachineState, reason?: string): void {
    this.#lifecycle.enter(state)
    const atMs = this.#atMs()
    if (trace.on) tellState(this.#name, state, { ms: atMs, reason })
    this.#listeners.send({
      type: 'state',
      state,
      atMs,
      ...(reason !== undefined && { reason }),
    })
  }

  end(): void {
    this.#listeners.end()
  }

  #atMs(): number {
    return Math.round((this.#clock.now() - this.#began) * 10) / 10
  }
}
