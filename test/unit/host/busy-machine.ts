import type { StartLimit } from '../../../src/host/start-limit.ts'

/** The start of a VM: milliseconds of computing on one processor, then of waiting for a device, and so on. */
export type Phases = readonly number[]

export interface BusyMachine {
  readonly cores: number
  readonly vms: readonly Phases[]
  /** Other threads, which always want a processor. */
  readonly others?: number
  /** Whether the kernel has PSI. */
  readonly psi?: boolean
  /** Whether the length of the run queue is known. */
  readonly queue?: boolean
}

export interface Outcome {
  /** Milliseconds until the last VM was ready. */
  readonly ms: number
  readonly mostAtOnce: number
  /** The longest time of one VM. */
  readonly slowestMs: number
}

interface Running {
  readonly beganMs: number
  readonly left: number[]
}

const tickMs = 2

/** Starts VMs as the limit allows, on a machine with a fair scheduler, in steps of two milliseconds. */
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

/** All lists have an even length: with an even number of phases left, the current one is computing. */
function working({ left }: Running): boolean {
  return left.length % 2 === 0
}

function advance(vm: Running, ms: number): void {
  vm.left[0]! -= ms
  if (vm.left[0]! <= 0) vm.left.shift()
}

/** A fixed limit, to compare with. */
export function fixed(limit: number): Pick<StartLimit, keyof StartLimit> {
  return { most: limit, passed: () => {}, heard: () => {} }
}
