/** How busy the machine is, at one moment. */
export interface Load {
  /** Milliseconds of a monotonic clock. */
  readonly atMs: number
  /** How long some thread has waited for a processor since boot, in milliseconds (PSI). Absent without PSI. */
  readonly stalledMs?: number
  /** Threads that run or wait for a processor, on the whole machine. */
  readonly runnable: number
}

/** What decides the first limit. */
export interface StartLimitOptions {
  readonly cores: number
  readonly accel: 'kvm' | 'tcg'
  readonly clones: boolean
}

/** Pressure is the share of time in which some thread waits for a processor. Below this, processors idle at times. */
const idleBelow = 0.8
/** Above this pressure no processor is idle. Whether there are too many VMs then depends on the queue and the times. */
const fullAbove = 0.95
/** More runnable threads for each processor than this only slow each other down. */
const longQueue = 4
/** A VM that takes this many times as long as the fastest spends most of that time waiting for other VMs. */
const longStretch = 12
/** The weight of a new value in the moving averages: a single moment says little about a queue. */
const newWeight = 0.3
/** Samples closer together than this are skipped: they are too short for a share of time. */
const shortestMs = 8

/**
 * How many VMs may be starting at the same time. No processor should idle while VMs wait to start, and no VM should be
 * slowed down by so many others that it times out. Pure: load and milestones are passed in.
 *
 * It begins with enough VMs to keep every processor busy. It allows one more at a time while processors idle, and one
 * less while the queue for processors is long or VMs take many times as long as the fastest. Two for each processor,
 * or eight clones, are allowed under any load.
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
    // For each processor, one VM that computes and one that waits for a device. A clone starts so quickly that none
    // times out; next to other load, fewer of them would only leave the processors to that load.
    this.#least = (clones ? 8 : 2) * cores
    // With KVM a VM waits more than it computes.
    this.#limit = accel === 'kvm' ? Math.max(3 * cores, this.#least) : this.#least
  }

  /** How many VMs may be starting at the same time. */
  get most(): number {
    return this.#limit
  }

  /** A VM has passed a milestone, this long after its start. */
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
