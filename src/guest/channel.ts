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

/** Where a guest's time and randomness come from. */
export interface GuestSources {
  /** Milliseconds since 1970. */
  wallClock(): number
  randomBytes(count: number): Uint8Array
}

export interface ChannelOptions extends GuestSources {
  /** Whose guest: named in errors. */
  readonly name: string
  readonly consoleLog: string
  readonly clock: Clock
}

/** The host's end of the port on which xcluster-guest listens: tells the guest things, one message at a time. */
export class GuestChannel {
  readonly #port: Port
  readonly #options: ChannelOptions
  readonly #lines = new LineSplitter(64 << 10)
  /** By their numbers: what is asked and not answered yet. */
  readonly #asked = new Map<number, Deferred<GuestAnswer>>()
  #ended: string | undefined

  /** Takes the port over as its only reader; whoever gave it closes it. */
  constructor(port: Port, options: ChannelOptions) {
    this.#port = port
    this.#options = options
    port.receive({
      data: bytes => this.#heard(bytes),
      end: failure => this.end(failure ? messageOf(failure) : 'its QEMU closed the channel'),
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

  /** Nanoseconds since 1970, as this machine has it. */
  wallNs(): bigint {
    return BigInt(this.#options.wallClock()) * 1_000_000n
  }

  randomBytes(count: number): Uint8Array {
    return this.#options.randomBytes(count)
  }

  async #ask(steps: readonly GuestStep[], ms: number): Promise<GuestAnswer> {
    const number = Buffer.from(this.randomBytes(4)).readUInt32LE()
    const asked = defer<GuestAnswer>()
    this.#asked.set(number, asked)
    this.#port.send(guestMessage(number, steps))
    const late = () => this.#refused(`it did not answer within ${ms / 1000} s`)
    try {
      return await within(asked.promise, { clock: this.#options.clock, ms, late })
    } finally {
      this.#asked.delete(number)
    }
  }

  /** An answer to what nobody waits for any more is dropped. */
  #heard(bytes: Uint8Array): void {
    try {
      for (const line of this.#lines.push(bytes)) {
        const answer = readAnswer(line)
        if (answer) this.#asked.get(answer.number)?.resolve(answer)
      }
    } catch (failure) {
      this.end(messageOf(failure))
    }
  }

  /**
   * Refuses what is asked and not answered, and all that will be. Its VM's end calls it: the port itself may be
   * closed on this side before the other side's end is read, and then says nothing.
   */
  end(reason: string): void {
    this.#ended ??= reason
    for (const asked of this.#asked.values()) asked.reject(this.#refused(reason))
  }

  #refused(reason: string): GuestError {
    const { name, consoleLog } = this.#options
    const remedy = `Its console is in ${consoleLog}`
    return new GuestError({ code: 'NODE_CONFIG', op: 'configure', target: name, reason, remedy })
  }
}
