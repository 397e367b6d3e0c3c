import { randomInt } from 'node:crypto'
import {
  type Clock,
  type Deferred,
  defer,
  LineSplitter,
  messageOf,
  type Port,
  within,
} from '../base/index.ts'
import { GuestError } from './errors.ts'
import { type GuestAnswer, guestMessage, readAnswer } from './message.ts'
import type { GuestStep } from './step.ts'
import { tellAnswer, tellLost, tellSent, trace } from './trace.ts'

export interface ChannelOptions {
  /** Whose guest: named in errors. */
  readonly name: string
  readonly consoleLog: string
  readonly clock: Clock
}

/** A message that is not answered yet. */
interface Asked {
  readonly steps: readonly GuestStep[]
  /** By the clock. */
  readonly sentAt: number
  readonly answer: Deferred<GuestAnswer>
}

/** The host's end of the port on which xcluster-guest listens: tells the guest things, one message at a time. */
export class GuestChannel {
  readonly #port: Port
  readonly #options: ChannelOptions
  readonly #lines = new LineSplitter(64 << 10)
  /** By their numbers: what is asked and not answered yet. */
  readonly #asked = new Map<number, Asked>()
  #ended: string | undefined

  /** Takes the port over as its only reader; whoever gave it closes it. */
  constructor(port: Port, options: ChannelOptions) {
    this.#port = port
    this.#options = options
    port.receive({
      data: bytes => this.#heard(bytes),
      end: failure => this.#end(failure ? messageOf(failure) : 'its QEMU closed the wire'),
    })
  }

  /**
   * Resolves with the guest's clock, in nanoseconds since 1970, when it has done all of the steps. Throws
   * NODE_CONFIG with the first one that failed, in words, and why; those after it were not begun.
   */
  async tell(steps: readonly GuestStep[], timeoutMs = 60_000): Promise<bigint> {
    if (this.#ended !== undefined) throw this.#refused(this.#ended)
    const answer = await this.#ask(steps, timeoutMs)
    if (answer.ok) return answer.clockNs
    throw this.#refused(`${steps[answer.step]?.about ?? 'message'}: ${answer.reason}`)
  }

  async #ask(steps: readonly GuestStep[], ms: number): Promise<GuestAnswer> {
    const { clock, name } = this.#options
    const number = randomInt(2 ** 31)
    const message = guestMessage(number, steps)
    const answer = defer<GuestAnswer>()
    this.#asked.set(number, { steps, sentAt: clock.now(), answer })
    if (trace.on) tellSent(name, { number, steps }, message)
    this.#port.send(message)
    const late = () => {
      const reason = `it did not answer within ${ms / 1000} s`
      if (trace.on) tellLost(name, { number, steps }, reason)
      return this.#refused(reason)
    }
    try {
      return await within(answer.promise, { clock, ms, late })
    } finally {
      this.#asked.delete(number)
    }
  }

  #heard(bytes: Uint8Array): void {
    try {
      for (const line of this.#lines.push(bytes)) {
        const answer = readAnswer(line)
        if (answer) this.#answered(answer)
      }
    } catch (failure) {
      this.#end(messageOf(failure))
    }
  }

  /** An answer that nothing waits for any more is dropped. */
  #answered(answer: GuestAnswer): void {
    const { clock, name } = this.#options
    const asked = this.#asked.get(answer.number)
    if (trace.on) tellAnswer(name, answer, asked && { steps: asked.steps, ms: clock.now() - asked.sentAt })
    asked?.answer.resolve(answer)
  }

  #end(reason: string): void {
    this.#ended = reason
    for (const [number, { steps, answer }] of this.#asked) {
      if (trace.on) tellLost(this.#options.name, { number, steps }, reason)
      answer.reject(this.#refused(reason))
    }
  }

  #refused(reason: string): GuestError {
    const { name, consoleLog } = this.#options
    const remedy = `Its console is in ${consoleLog}`
    return new GuestError({ code: 'NODE_CONFIG', op: 'configure', target: name, reason, remedy })
  }
}
