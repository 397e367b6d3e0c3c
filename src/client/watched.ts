import { type Clock, durationText, systemClock } from '../base/index.ts'
import { ClientError } from './errors.ts'
import { stoppedHolder } from './stopped.ts'

/** An owner, and how long to wait for it. */
export interface Target {
  readonly name: string
  readonly socket: string
  /** Held by the owner. Absent: an owner that is stopped is not noticed. */
  readonly lock?: string
  /** Asks for the stack of an error in the answer. */
  readonly debug?: boolean
  /** For the whole of one exchange, from connecting to the end of the answer. Absent: until the owner ends. */
  readonly timeoutMs?: number
}

/** What can be given up: a request. */
interface Abandonable {
  destroy(reason: Error): unknown
}

/** Reading two files of /proc costs little; a stopped owner is noticed soon. */
const lookEveryMs = 250

/** Watches one exchange with an owner, and gives it up when its time is over or when the owner's process is stopped. */
export class WatchedExchange implements Disposable {
  /** Why it was given up. */
  reason: ClientError | undefined
  readonly #target: Target
  readonly #exchange: Abandonable
  readonly #clock: Clock
  readonly #cancels = new Map<'time' | 'look', () => void>()

  constructor(target: Target, exchange: Abandonable, clock: Clock = systemClock) {
    this.#target = target
    this.#exchange = exchange
    this.#clock = clock
    const { lock, timeoutMs } = target
    if (timeoutMs !== undefined)
      this.#cancels.set(
        'time',
        clock.after(timeoutMs, () => this.#giveUp(tooSlow(target, timeoutMs))),
      )
    if (lock !== undefined) this.#lookLater(lock)
  }

  [Symbol.dispose](): void {
    for (const cancel of this.#cancels.values()) cancel()
  }

  #lookLater(lock: string): void {
    const look = () => {
      const pid = stoppedHolder(lock)
      if (pid === undefined) this.#lookLater(lock)
      else this.#giveUp(stopped(this.#target, pid))
    }
    this.#cancels.set('look', this.#clock.after(lookEveryMs, look))
  }

  #giveUp(reason: ClientError): void {
    this[Symbol.dispose]()
    this.reason = reason
    this.#exchange.destroy(reason)
  }
}

function tooSlow({ name }: Target, timeoutMs: number): ClientError {
  return new ClientError({
    code: 'OWNER_TIMEOUT',
    op: 'talk to cluster',
    target: name,
    reason: `no answer within ${durationText(timeoutMs)}`,
    remedy: 'Allow more time with --timeout. The request may have taken effect',
  })
}

function stopped({ name }: Target, pid: number): ClientError {
  return new ClientError({
    code: 'OWNER_STOPPED',
    op: 'talk to cluster',
    target: name,
    reason: `its owner, process ${pid}, is stopped (SIGSTOP, Ctrl-Z or a debugger) and cannot answer`,
    remedy: `Let it run again: kill -CONT ${pid}. It then carries out what it has been asked`,
  })
}
