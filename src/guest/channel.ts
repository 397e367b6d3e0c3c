import {
  Allowance,
  type Clock,
  type Deferred,
  defer,
  durationText,
  messageOf,
  type Port,
  within,
} from '../base/index.ts'
import { CommandStreams, type Frame, FrameSplitter, frameBytes, guestLimits } from '../stream/index.ts'
import { GuestError } from './errors.ts'
import { type GuestAnswer, guestMessage, readAnswer } from './message.ts'
import { type AnswerReceiver, type Asked, Questions, questionPayload } from './questions.ts'
import type { GuestStep } from './step.ts'
import { tellAnswer, tellFrame, tellLost, tellSent, trace } from './trace.ts'

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

/** Bytes. */
const smallPiece = 2048
/** Bytes that may come without being asked for: at most, and more each second. Answers can be late. */
const unasked = { most: 64 << 10, perSecond: 1024 }

/** A message without an answer yet. */
interface Pending {
  readonly steps: readonly GuestStep[]
  /** By the clock. */
  readonly sentAt: number
  readonly answer: Deferred<GuestAnswer>
}

/**
 * The host's end of the port on which xcluster-guest listens. It sends the guest messages of steps to carry out, and
 * carries the streams of its commands (docs/guest-channel.md).
 */
export class GuestChannel {
  /** The commands that run in the guest. */
  readonly streams: CommandStreams
  readonly #port: Port
  readonly #options: ChannelOptions
  readonly #frames = new FrameSplitter(guestLimits)
  readonly #unasked: Allowance
  /** Messages without an answer yet, by number. */
  readonly #pending = new Map<number, Pending>()
  readonly #questions = new Questions()
  #ended: string | undefined
  #refused = false
  #isHeard = false
  /** Bytes of output that came, and that no piece has been counted for. */
  #output = 0

  /** Becomes the only reader of the port. The caller closes the port. */
  constructor(port: Port, options: ChannelOptions) {
    this.#port = port
    this.#options = options
    this.#unasked = new Allowance({ clock: options.clock, ...unasked })
    this.streams = new CommandStreams({ name: options.name, send: frame => this.#send(frame) })
    port.receive({
      data: bytes => this.#received(bytes),
      end: failure => this.end(failure ? messageOf(failure) : 'its QEMU closed the channel'),
    })
  }

  /**
   * Lets the guest carry out the steps. Resolves with the guest's clock afterwards, in nanoseconds since 1970. Throws
   * NODE_CONFIG when a step fails, with the step and the reason of the guest's kernel; later steps are not begun.
   * Throws GUEST_SILENT when there is no answer.
   */
  async apply(steps: readonly GuestStep[], timeoutMs: number): Promise<bigint> {
    if (this.#ended !== undefined) throw this.#silence(this.#ended)
    const answer = await this.#request(steps, timeoutMs)
    if (answer.ok) return answer.clockNs
    throw this.#failure('NODE_CONFIG', `${steps[answer.step]?.about ?? 'read message'}: ${answer.reason}`)
  }

  /**
   * Asks the guest's kernel, or for a file. Calling the function that it returns drops the rest of the answer. A guest
   * that sends too long an answer is refused. Throws GUEST_SILENT when the channel has ended.
   */
  ask(asked: Asked, receiver: AnswerReceiver): () => void {
    if (this.#ended !== undefined) throw this.#silence(this.#ended)
    const number = this.#questions.add(Buffer.from(this.randomBytes(4)).readUInt32LE(), receiver)
    this.#send({ kind: 'ask', stream: number, which: 0, payload: questionPayload(asked) })
    return () => this.#questions.drop(number)
  }

  /** True when it ended from outside, as when its VM dies, and not because of what the guest sent. */
  get lost(): boolean {
    return this.#ended !== undefined && !this.#refused
  }

  /** True when xcluster-guest has answered: a guest without that program never does. */
  get isHeard(): boolean {
    return this.#isHeard
  }

  get clock(): Clock {
    return this.#options.clock
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
      const reason = `the guest did not answer within ${durationText(ms)}`
      if (trace.on) tellLost(name, { number, steps }, reason)
      return this.#silence(reason)
    }
    try {
      return await within(answer.promise, { clock, ms, late })
    } finally {
      this.#pending.delete(number)
    }
  }

  /** True when nearly all of it is output of commands: that comes no faster than its readers take it. */
  #received(bytes: Uint8Array): boolean {
    try {
      for (const frame of this.#ended === undefined ? this.#frames.push(bytes) : []) {
        this.#take(frame)
        if (this.#ended !== undefined) return false
      }
    } catch (failure) {
      this.#refuse(`the guest's answer cannot be read: ${messageOf(failure)}`)
    }
    // A frame may have come in several pieces. Small ones cost more than their bytes.
    if (this.#output < (bytes.length * 3) / 4 || bytes.length < smallPiece) return false
    this.#output = Math.min(this.#output - bytes.length, 64 << 10)
    return true
  }

  #take(frame: Frame): void {
    const isAsked = frame.kind === 'restarted' ? this.#restarted(frame) : this.#asked(frame)
    if (isAsked) {
      this.#isHeard = true
      if (frame.kind === 'data') this.#output += frame.payload.length
      return
    }
    // Even an empty frame costs this process as much as some bytes.
    if (this.#unasked.use(frame.payload.length + 16) < 0)
      this.#refuse('the guest sent much that nothing had asked for')
  }

  #send(frame: Frame): void {
    if (trace.on) tellFrame(this.#options.name, 'sent', frame)
    this.#port.send(frameBytes(frame))
  }

  #asked(frame: Frame): boolean {
    if (trace.on) tellFrame(this.#options.name, 'received', frame)
    if (frame.kind === 'ask' || frame.kind === 'asked') return this.#questions.take(frame)
    if (frame.kind !== 'configure') return this.streams.take(frame)
    return this.#answered(readAnswer(frame.stream, frame.payload))
  }

  /**
   * Another instance of xcluster-guest has begun. It skips all that was sent before, up to its random number. False: as
   * much of it may come as of what nothing asked for.
   */
  #restarted({ payload }: Frame): boolean {
    this.#drop('xcluster-guest was restarted in the guest')
    this.#port.send(payload)
    return false
  }

  /** Reads no more from a guest that does not keep to the protocol. */
  #refuse(reason: string): void {
    this.#refused ||= this.#ended === undefined
    this.end(`${reason}, so its channel has been closed`)
    this.#port.close().catch(() => {}) // the VM closes it again, and reports that
  }

  /** Drops answers to messages that have timed out, and returns false for them. */
  #answered(answer: GuestAnswer): boolean {
    const { clock, name } = this.#options
    const pending = this.#pending.get(answer.number)
    if (trace.on)
      tellAnswer(name, answer, pending && { steps: pending.steps, ms: clock.now() - pending.sentAt })
    pending?.answer.resolve(answer)
    return this.#pending.delete(answer.number)
  }

  /**
   * Fails the pending messages and all later ones. It is called when the VM ends: this side of the port may be closed
   * before the end of the other side is read, and then the port reports no end.
   */
  end(reason: string): void {
    this.#ended ??= reason
    this.#drop(reason)
    this.streams.end(reason)
  }

  #drop(reason: string): void {
    this.streams.reset(reason)
    this.#questions.end(this.#silence(reason))
    for (const [number, { steps, answer }] of this.#pending) {
      if (trace.on) tellLost(this.#options.name, { number, steps }, reason)
      answer.reject(this.#silence(reason))
    }
  }

  #silence(reason: string): GuestError {
    return this.#failure('GUEST_SILENT', reason)
  }

  #failure(code: 'NODE_CONFIG' | 'GUEST_SILENT', reason: string): GuestError {
    const { name, consoleLog } = this.#options
    const remedy = consoleLog === undefined ? {} : { remedy: `Read its console log: ${consoleLog}` }
    return new GuestError({ code, op: 'configure', target: name, reason, ...remedy })
  }
}
