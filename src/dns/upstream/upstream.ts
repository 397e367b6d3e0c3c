import { randomBytes, randomInt } from 'node:crypto'
import { DnsError } from '../errors.ts'
import { tellUpstreamAnswer, tellUpstreamAsked, tellUpstreamFailure, trace } from '../observe/trace.ts'
import type { UpstreamStatus } from '../types.ts'
import { flag2, isFailure, maxName, Rcode } from '../wire/constants.ts'
import type { Message } from '../wire/message.ts'
import { type Question, writeQuestion } from '../wire/question.ts'
import type { Cancellation } from './cancellation.ts'
import { type Server, serverText } from './conf/server.ts'
import type { Delays } from './delays.ts'
import { EdnsSupport } from './edns.ts'
import { isOurs } from './failure.ts'
import { Health } from './health.ts'
import type { SecureTransport } from './transport/secure.ts'
import type { Dialer } from './transport/sockets.ts'
import { TcpConnections } from './transport/tcp.ts'
import { askUdp, type Try, type UdpReceiver, type UdpResult } from './transport/udp.ts'
import type { Trust } from './trust.ts'

/** How upstreams are queried. */
export interface UpstreamBehaviour {
  readonly clock: Delays
  readonly dialer: Dialer
  /** Random capitals in names: 0x20. */
  readonly mixedCase: boolean
  readonly tcpOnly: boolean
  /** Requests the AD bit. Without it the server's AD bit is cleared. */
  readonly trustAd: boolean
  /** What certificates of servers over TLS are checked with. */
  readonly trust: Trust
  /** Receives sentences for the user. */
  readonly notice: (text: string) => void
}

/** Takes the result of an attempt, one of both, and never while it is being sent. */
export interface UpstreamReceiver {
  answered(upstream: Upstream, message: Message): void
  /** With a DnsError. */
  failed(upstream: Upstream, thrown: unknown): void
}

/** How long one attempt may take, what cancels it, and what takes its result. */
export interface AttemptOptions {
  readonly ms: number
  readonly cancellation: Cancellation
  readonly receiver: UpstreamReceiver
}

/** Failures that one is enough of: the server, or the way to it, is not what it should be. */
const sure: readonly string[] = ['UPSTREAM_UNREACHABLE', 'UPSTREAM_UNTRUSTED']
/** No answer within this time counts as a failure, when another server's answer is used. */
const slowMs = 350

/** One name server, and what is known about it. */
export class Upstream {
  readonly server: Server
  readonly name: string
  readonly health: Health
  behaviour: UpstreamBehaviour
  /** It leads back to this forwarder. */
  loops = false
  readonly #tcp = new TcpConnections()
  /** Loaded for servers that need it: TLS and HTTP/2 would slow down every start. */
  readonly #secure: Promise<SecureTransport> | undefined
  /** A certificate that was refused is said once, until an answer comes. */
  #refusalSaid = false
  readonly #counts = { queries: 0, answers: 0, timeouts: 0, wrong: 0, overTcp: 0 }
  readonly #edns: EdnsSupport

  constructor(server: Server, behaviour: UpstreamBehaviour) {
    this.server = server
    this.name = serverText(server)
    this.behaviour = behaviour
    this.health = new Health(behaviour.clock)
    this.#edns = new EdnsSupport(behaviour.clock)
    this.#secure = server.secure && secureTransport(behaviour.trust)
  }

  /** One answer, whatever its Rcode. */
  ask(question: Question, options: AttemptOptions): void {
    this.#counts.queries++
    if (trace.on) tellUpstreamAsked(this.name, question, 'at first')
    const attempt = new Attempt(this, question, options)
    attempt.edns = !this.#edns.missing
    if (this.#streamsOnly) void this.#askFurther(attempt, 'tcp')
    else askUdp(this.#written(attempt), attempt)
  }

  /** For the attempt alone: what came over UDP. */
  received(attempt: Attempt, first: UdpResult): void {
    if (first !== 'tcp' && first !== 'plain' && !(attempt.edns && dislikesEdns(first)))
      this.#answered(attempt, first)
    else void this.#askFurther(attempt, first)
  }

  /** After an answer over UDP that is not the last one. */
  async #askFurther(attempt: Attempt, first: UdpResult): Promise<void> {
    try {
      let whole = first === 'tcp' ? await this.#askOverStream(attempt) : first
      if (whole !== 'plain' && whole.opt && whole.rcode !== Rcode.BADVERS) this.#edns.reset()
      if (whole === 'plain' || (attempt.edns && dislikesEdns(whole))) whole = await this.#askPlainly(attempt)
      this.#answered(attempt, whole)
    } catch (thrown) {
      this.failed(attempt, thrown)
    }
  }

  status(zone: string): UpstreamStatus {
    const { healthy, rtt } = this.health
    return { name: this.name, zone, healthy, loops: this.loops, rttMs: rtt, ...this.#counts }
  }

  /** Forgets everything known about it. */
  forget(): void {
    this.#edns.reset()
    this.loops = false
    this.#refusalSaid = false
  }

  async close(): Promise<void> {
    await Promise.all([this.#tcp.close(), (await this.#secure)?.close()])
  }

  #answered({ question, begun, receiver }: Attempt, message: Message): void {
    if (message.opt && message.rcode !== Rcode.BADVERS) this.#edns.reset()
    if (!this.behaviour.trustAd) message.bytes[3]! &= ~flag2.AD
    const ms = this.behaviour.clock.now() - begun
    if (trace.on) tellUpstreamAnswer(this.name, question, { message, ms })
    this.#counts.answers++
    this.health.answered(ms)
    this.#refusalSaid = false
    receiver.answered(this, message)
  }

  /** For the attempt alone. */
  failed(attempt: Attempt, thrown: unknown): void {
    const { question, begun, receiver } = attempt
    const ms = this.behaviour.clock.now() - begun
    if (trace.on) tellUpstreamFailure(this.name, question, { failure: thrown, ms })
    this.#note(thrown, ms, attempt)
    receiver.failed(this, thrown)
  }

  /** A failure over TCP says nothing against a server that answered over UDP. */
  #note(thrown: unknown, ms: number, { onOverTcp }: Attempt): void {
    if (!(thrown instanceof DnsError) || isOurs(thrown)) return
    if (thrown.code === 'UPSTREAM_CALLED_OFF' && ms < slowMs) return
    if (thrown.code === 'UPSTREAM_SILENT') this.#counts.timeouts++
    if (onOverTcp) return
    if (thrown.code === 'UPSTREAM_UNTRUSTED' && !this.#refusalSaid) {
      this.#refusalSaid = true
      this.behaviour.notice(thrown.message)
    }
    this.health.failed(sure.includes(thrown.code))
  }

  /** Falls back to no EDNS when the server does not seem to know it (RFC 6891 §7). */
  async #askPlainly(attempt: Attempt): Promise<Message> {
    attempt.edns = false
    const over = this.#streamsOnly ? 'tcp' : await this.#askOverUdp(attempt)
    const second = (over === 'tcp' ? await this.#askOverStream(attempt) : over) as Message
    if (!isFailure(second.rcode)) this.#edns.refused()
    return second
  }

  #askOverUdp(attempt: Attempt): Promise<UdpResult> {
    attempt.onOverTcp = false
    return new Promise((received, failed) => askUdp(this.#written(attempt), { received, failed }))
  }

  get #streamsOnly(): boolean {
    return this.#secure !== undefined || this.behaviour.tcpOnly
  }

  /** Over TLS or HTTPS where the server is asked so, else over TCP. */
  async #askOverStream(attempt: Attempt): Promise<Message | 'plain'> {
    if (this.#secure) return await (await this.#secure).ask(this.#written(attempt))
    attempt.onOverTcp = !this.behaviour.tcpOnly
    if (trace.on) tellUpstreamAsked(this.name, attempt.question, 'over TCP')
    this.#counts.overTcp++
    return await this.#tcp.ask(this.#written(attempt))
  }

  /** With new bytes, under another id. */
  #written(attempt: Attempt): Try {
    const { mixedCase, trustAd } = this.behaviour
    const { question, edns } = attempt
    const id = randomInt(0x10000)
    const capitals = mixedCase ? randomBytes(Math.ceil(maxName / 8)) : undefined
    attempt.wire = writeQuestion(question, { id, edns, ad: trustAd, capitals })
    return attempt
  }

  /** For attempts alone: an answer did not match. */
  wrong(): void {
    this.#counts.wrong++
  }
}

const nothing = Buffer.alloc(0)

/** An attempt to get an answer of one server, and whether it went on over TCP after an answer over UDP. */
class Attempt implements Try, UdpReceiver {
  readonly question: Question
  readonly begun: number
  edns = true
  onOverTcp = false
  wire: Buffer = nothing
  readonly #upstream: Upstream
  readonly #options: AttemptOptions

  constructor(upstream: Upstream, question: Question, options: AttemptOptions) {
    this.question = question
    this.begun = upstream.behaviour.clock.now()
    this.#upstream = upstream
    this.#options = options
  }

  get questionLength(): number {
    return this.question.length
  }
  get server(): Server {
    return this.#upstream.server
  }
  get name(): string {
    return this.#upstream.name
  }
  get dialer(): Dialer {
    return this.#upstream.behaviour.dialer
  }
  get clock(): Delays {
    return this.#upstream.behaviour.clock
  }
  get cancellation(): Cancellation {
    return this.#options.cancellation
  }
  get ms(): number {
    return this.#options.ms
  }
  get receiver(): UpstreamReceiver {
    return this.#options.receiver
  }

  wrong(): void {
    this.#upstream.wrong()
  }

  received(result: UdpResult): void {
    this.#upstream.received(this, result)
  }

  failed(failure: unknown): void {
    this.#upstream.failed(this, failure)
  }
}

async function secureTransport(trust: Trust): Promise<SecureTransport> {
  const { SecureTransport } = await import('./transport/secure.ts')
  return new SecureTransport(trust)
}

function dislikesEdns({ rcode }: Message): boolean {
  return rcode === Rcode.FORMERR || rcode === Rcode.NOTIMP || rcode === Rcode.BADVERS
}
