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

/** The sources of a guest's time and randomness. */
export interface GuestSources {
  /** Milliseconds since 1970. */
  wallClock(): number
  randomBytes(count: number): Uint8Array
}

export interface ChannelOptions extends GuestSources {
  /** The name of the guest's node, for errors. */
  readonly name: string
  /** The file with its console's output, for errors. A template has none. */
  readonly consoleLog?: string
  readonly clock: Clock
}

/** A message without an answer yet. */
interface Pending {
  readonly steps: readonly GuestStep[]
  /** By the clock. */
  readonly sentAt: number
  readonly answer: Deferred<GuestAnswer>
}

/** The host's end of the port on which xcluster-guest listens. It sends the guest messages of steps to carry out. */
export class GuestChannel {
  readonly #port: Port
  readonly #options: ChannelOptions
  readonly #lines = new LineSplitter(64 << 10)
  /** Messages without an answer yet, by number. */
  readonly #pending = new Map<number, Pending>()
  #ended: string | undefined

  /** Becomes the only reader of the port. The caller closes the port. */
  constructor(port: Port, options: ChannelOptions) {
    this.#port = port
    this.#options = options
    port.receive({
      data: bytes => this.#received(bytes),
      end: failure => this.end(failure ? messageOf(failure) : 'its QEMU closed the channel'),
    })
  }

  /**
   * Lets the guest carry out the steps. Resolves with the guest's clock afterwards, in nanoseconds since 1970. Throws
   * NODE_CONFIG when a step fails, with the step and the reason of the guest's kernel; later steps are not begun.
   */
  async apply(steps: readonly GuestStep[], timeoutMs = 60_000): Promise<bigint> {
    if (this.#ended !== undefined) throw this.#failure(this.#ended)
    const answer = await this.#request(steps, timeoutMs)
    if (answer.ok) return answer.clockNs
    throw this.#failure(`${steps[answer.step]?.about ?? 'read message'}: ${answer.reason}`)
  }

  /** This machine's clock, in nanoseconds since 1970. */
  wallNs(): bigint {
    return BigInt(this.#options.wallClock()) * 1_000_000n
  }

  randomBytes(count: number): Uint8Array {
    return this.#options.randomBytes(count)
  }

  async #request(steps: readonly GuestStep[], ms: number): Promise<GuestAnswer> {
    const { clock, name } = this.#options
    const number = Buffer.from(this.randomBytes(4)).readUInt32LE()
    const message = guestMessage(number, steps)
    const answer = defer<GuestAnswer>()
    this.#pending.set(number, { steps, sentAt: clock.now(), answer })
    if (trace.on) tellSent(name, { number, steps }, message)
    this.#port.send(message)
    const late = () => {
      const reason = `the guest did not answer within ${ms / 1000} s`
      if (trace.on) tellLost(name, { number, steps }, reason)
      return this.#failure(reason)
    }
    try {
      return await within(answer.promise, { clock, ms, late })
    } finally {
      this.#pending.delete(number)
    }
  }

  #received(bytes: Uint8Array): void {
    try {
      for (const line of this.#lines.push(bytes)) {
        const answer = readAnswer(line)
        if (answer) this.#answered(answer)
      }
    } catch (failure) {
      this.end(messageOf(failure))
    }
  }

  /** Drops answers to messages that have timed out. */
  #answered(answer: GuestAnswer): void {
    const { clock, name } = this.#options
    const pending = this.#pending.get(answer.number)
    if (trace.on)
      tellAnswer(name, answer, pending && { steps: pending.steps, ms: clock.now() - pending.sentAt })
    pending?.answer.resolve(answer)
  }

  /**
   * Fails the pending messages and all later ones. It is called when the VM ends: this side of the port may be closed
   * before the end of the other side is read, and then the port reports no end.
   */
  end(reason: string): void {
    this.#ended ??= reason
    for (const [number, { steps, answer }] of this.#pending) {
      if (trace.on) tellLost(this.#options.name, { number, steps }, reason)
      answer.reject(this.#failure(reason))
    }
  }

  #failure(reason: string): GuestError {
    const { name, consoleLog } = this.#options
    const remedy = consoleLog === undefined ? {} : { remedy: `Read its console log: ${consoleLog}` }
    return new GuestError({ code: 'NODE_CONFIG', op: 'configure', target: name, reason, ...remedy })
  }
}
