import { randomBytes, randomInt } from 'node:crypto'
import type { Clock } from '../../base/index.ts'
import { DnsError } from '../errors.ts'
import { tellUpstreamAnswer, tellUpstreamAsked, tellUpstreamFailure, trace } from '../observe/trace.ts'
import type { UpstreamStatus } from '../types.ts'
import { isFailure, maxName, Rcode } from '../wire/constants.ts'
import type { Message } from '../wire/message.ts'
import { type Question, writeQuestion } from '../wire/question.ts'
import { type Server, serverText } from './conf/server.ts'
import { isOurs } from './failure.ts'
import { Health } from './health.ts'
import type { Dialer } from './transport/sockets.ts'
import { TcpConnections } from './transport/tcp.ts'
import { askUdp, type Try } from './transport/udp.ts'

/** How upstreams are queried. */
export interface UpstreamBehaviour {
  readonly clock: Clock
  readonly dialer: Dialer
  /** Random capitals in names: 0x20. */
  readonly mixedCase: boolean
  readonly tcpOnly: boolean
  readonly trustAd: boolean
}

/** How long one attempt may take, and the signal that cancels it. */
export interface WaitOptions {
  readonly ms: number
  readonly signal: AbortSignal
}

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
  readonly #counts = { queries: 0, answers: 0, timeouts: 0, wrong: 0, overTcp: 0 }
  /** It did not understand EDNS, but answered without. */
  #plain = false

  constructor(server: Server, behaviour: UpstreamBehaviour) {
    this.server = server
    this.name = serverText(server)
    this.behaviour = behaviour
    this.health = new Health(behaviour.clock)
  }

  /** One answer, whatever its Rcode. Rejects with a DnsError. */
  async ask(question: Question, wait: WaitOptions): Promise<Message> {
    const { clock } = this.behaviour
    const begun = clock.now()
    this.#counts.queries++
    if (trace.on) tellUpstreamAsked(this.name, question, 'at first')
    try {
      const message = await this.#askAsUnderstood(question, wait)
      const ms = clock.now() - begun
      if (trace.on) tellUpstreamAnswer(this.name, question, { message, ms })
      this.#counts.answers++
      this.health.answered(ms)
      return message
    } catch (thrown) {
      const ms = clock.now() - begun
      if (trace.on) tellUpstreamFailure(this.name, question, { failure: thrown, ms })
      this.#note(thrown, ms)
      throw thrown
    }
  }

  status(zone: string): UpstreamStatus {
    const { healthy, rtt } = this.health
    return { name: this.name, zone, healthy, loops: this.loops, rttMs: rtt, ...this.#counts }
  }

  /** Forgets everything known about it. */
  forget(): void {
    this.#plain = false
    this.loops = false
  }

  close(): Promise<void> {
    return this.#tcp.close()
  }

  #note(thrown: unknown, ms: number): void {
    if (!(thrown instanceof DnsError) || isOurs(thrown)) return
    if (thrown.code === 'UPSTREAM_CALLED_OFF' && ms < slowMs) return
    if (thrown.code === 'UPSTREAM_SILENT') this.#counts.timeouts++
    this.health.failed(thrown.code === 'UPSTREAM_UNREACHABLE')
  }

  /** Falls back to no EDNS when the server does not know it (RFC 6891 §7), from then on. */
  async #askAsUnderstood(question: Question, wait: WaitOptions): Promise<Message> {
    if (this.#plain) return (await this.#askOnce(question, wait, false)) as Message
    const first = await this.#askOnce(question, wait, true)
    if (first !== 'plain' && !dislikesEdns(first)) return first
    const second = (await this.#askOnce(question, wait, false)) as Message
    this.#plain = !isFailure(second.rcode)
    return second
  }

  /** `plain` only for queries with EDNS. */
  async #askOnce(question: Question, wait: WaitOptions, edns: boolean): Promise<Message | 'plain'> {
    const over = this.behaviour.tcpOnly ? 'tcp' : await askUdp(this.#try(question, wait, edns))
    if (over !== 'tcp') return over
    if (trace.on) tellUpstreamAsked(this.name, question, 'over TCP')
    this.#counts.overTcp++
    return await this.#tcp.ask(this.#try(question, wait, edns))
  }

  #try(question: Question, { ms, signal }: WaitOptions, edns: boolean): Try {
    const { clock, dialer, mixedCase, trustAd } = this.behaviour
    const id = randomInt(0x10000)
    const capitals = mixedCase ? randomBytes(Math.ceil(maxName / 8)) : undefined
    return {
      server: this.server,
      dialer,
      clock,
      signal,
      ms,
      wire: writeQuestion(question, { id, edns, ad: trustAd, capitals }),
      questionLength: question.bytes.length,
      wrong: () => this.#counts.wrong++,
    }
  }
}

function dislikesEdns({ rcode }: Message): boolean {
  return rcode === Rcode.FORMERR || rcode === Rcode.NOTIMP || rcode === Rcode.BADVERS
}
