/** How busy the machine is, at one moment. */
export interface Load {
  /** Milliseconds of a clock that only grows. */
  readonly atMs: number
  /** Since boot, in milliseconds: how long somebody has waited for a processor (PSI). Absent where nobody counts it. */
  readonly stalledMs?: number
  /** Threads that run or wait for a processor, on the whole machine. */
  readonly runnable: number
}

/** What is known before anything has begun. */
export interface StartLimitOptions {
  readonly cores: number
  readonly accel: 'kvm' | 'tcg'
  readonly clones: boolean
}

/** Below this part of the time with somebody waiting, processors were idle in the rest of it: more may begin. */
const idleBelow = 0.8
/** Above this nobody has an idle processor; whether they are too many is told by the queue and by the times. */
const fullAbove = 0.95
/** Threads for each processor beyond which more only get in each other's way. */
const longQueue = 4
/** A VM that takes so many times what the fastest took waits for the others more than it works. */
const longStretch = 12
/** Weight of what is new in what is remembered; one moment says little about a queue. */
const newWeight = 0.3
/** A shorter time says nothing about a part of it. */
const shortestMs = 8

/**
 * How many VMs are to be started at once. The aim is that no processor idles while VMs wait to begin, and no
 * VM is slowed down by so many others that it comes too late. Pure: told of load, and of what VMs do and when.
 *
 * It begins with what has work for every processor, adds one at a time while processors idle, and takes one away
 * while the queue for them is long or VMs take many times what the fastest took; two for each processor stay,
 * or eight clones, whatever else the machine does.
 */
export class StartLimit {
  readonly #least: number
  readonly #cores: number
  readonly #fastestMs = new Map<string, number>()
  #limit: number
  #last: Load | undefined
  #stretch = 1
  #queue: number | undefined
  #pressure: number | undefined

  constructor({ cores, accel, clones }: StartLimitOptions) {
    this.#cores = cores
    // One that works and one that waits for something, for each processor. A clone is there so soon that
    // none comes too late; beside other load, fewer would only leave the processors to that.
    this.#least = (clones ? 8 : 2) * cores
    // Under KVM a VM waits more than it works.
    this.#limit = accel === 'kvm' ? Math.max(3 * cores, this.#least) : this.#least
  }

  /** How many may be under way. */
  get most(): number {
    return this.#limit
  }

  /** A VM has passed something, so long after it began. */
  passed(milestone: string, afterMs: number): void {
    const fastest = Math.min(afterMs, this.#fastestMs.get(milestone) ?? afterMs)
    this.#fastestMs.set(milestone, fastest)
    this.#stretch = blended(this.#stretch, afterMs / Math.max(fastest, 1))
  }

  /** The machine is so busy now, with so many under way. Told often, and at least each time something was passed. */
  heard(load: Load, underWay: number): void {
    const last = this.#last
    const ms = load.atMs - (last?.atMs ?? Number.NEGATIVE_INFINITY)
    if (last && ms < shortestMs) return
    this.#last = load
    this.#queue = blended(this.#queue, load.runnable / this.#cores)
    if (!last) return
    const counted = load.stalledMs !== undefined && last.stalledMs !== undefined
    const waited = counted ? (load.stalledMs! - last.stalledMs!) / ms : Number(load.runnable > this.#cores)
    this.#pressure = blended(this.#pressure, Math.min(1, waited))
    this.#adjust(this.#pressure, this.#queue, underWay)
  }

  #adjust(pressure: number, queue: number, underWay: number): void {
    const crowded = (pressure > fullAbove && queue > longQueue) || this.#stretch > longStretch
    if (crowded) this.#limit = Math.max(this.#least, Math.min(this.#limit, underWay) - 1)
    // More is of use only when those that might be are under way.
    else if (pressure < idleBelow && underWay >= this.#limit) this.#limit++
    // It is judged by what comes, now that there are fewer.
    if (crowded) this.#stretch = 1
  }
}

function blended(before: number | undefined, now: number): number {
  return before === undefined ? now : before * (1 - newWeight) + now * newWeight
}
