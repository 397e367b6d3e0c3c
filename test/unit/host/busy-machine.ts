import type { StartLimit } from '../../../src/host/start-limit.ts'

/** A VM's start: milliseconds of work for one processor, then of waiting for something else, and so on. */
export type Phases = readonly number[]

export interface BusyMachine {
  readonly cores: number
  readonly vms: readonly Phases[]
  /** Threads of others that always want a processor. */
  readonly others?: number
  /** Whether PSI is counted. */
  readonly psi?: boolean
  /** Whether anything is said of the run queue. */
  readonly queue?: boolean
}

export interface Outcome {
  /** Until the last VM was ready. */
  readonly ms: number
  readonly mostAtOnce: number
  /** The longest that one took. */
  readonly slowestMs: number
}

interface Running {
  readonly beganMs: number
  readonly left: number[]
}

const tickMs = 2

/** Lets a limit start VMs on a machine whose processors are shared fairly, in steps of two milliseconds. */
export function simulate(machine: BusyMachine, limit: Pick<StartLimit, keyof StartLimit>): Outcome {
  const { cores, others = 0, psi = true, queue = true } = machine
  const waiting = [...machine.vms]
  let running: Running[] = []
  let stalledMs = 0
  let mostAtOnce = 0
  let slowestMs = 0
  let nowMs = 0
  for (; waiting.length + running.length > 0; nowMs += tickMs) {
    const runnable = others + running.filter(working).length
    if (nowMs % 20 === 0)
      limit.heard({ atMs: nowMs, runnable: queue ? runnable : 0, ...(psi && { stalledMs }) }, running.length)
    while (waiting.length > 0 && running.length < limit.most)
      running.push({ beganMs: nowMs, left: [...waiting.shift()!] })
    mostAtOnce = Math.max(mostAtOnce, running.length)
    if (runnable > cores) stalledMs += tickMs
    const share = Math.min(1, cores / (others + running.filter(working).length))
    for (const vm of running) advance(vm, working(vm) ? tickMs * share : tickMs)
    for (const { beganMs } of running.filter(({ left }) => left.length === 0)) {
      slowestMs = Math.max(slowestMs, nowMs - beganMs)
      limit.passed('ready', nowMs - beganMs)
    }
    running = running.filter(({ left }) => left.length > 0)
  }
  return { ms: nowMs, mostAtOnce, slowestMs }
}

/** Odd numbers of phases left are told from even ones by what was there at first: all lists have an even length. */
function working({ left }: Running): boolean {
  return left.length % 2 === 0
}

function advance(vm: Running, ms: number): void {
  vm.left[0]! -= ms
  if (vm.left[0]! <= 0) vm.left.shift()
}

/** A fixed number at once, to compare with. */
export function fixed(limit: number): Pick<StartLimit, keyof StartLimit> {
  return { most: limit, passed: () => {}, heard: () => {} }
}
