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

/** How upstreams are asked. */
export interface UpstreamBehaviour {
  readonly clock: Clock
  readonly dialer: Dialer
  /** Random capitals in names: 0x20. */
  readonly mixedCase: boolean
  readonly tcpOnly: boolean
  readonly trustAd: boolean
}

/** How long one try may take, and whether anybody still wants it. */
export interface WaitOptions {
  readonly ms: number
  readonly signal: AbortSignal
}

/** Not answered within this is a mark against it, when somebody else's answer is taken. */
const slowMs = 350

/** One server that we ask, and what we know about it. */
export class Upstream {
  readonly server: Server
  readonly name: string
  readonly health: Health
  habits: UpstreamBehaviour
  /** It leads back to us. */
  loops = false
  readonly #tcp = new TcpConnections()
  readonly #counts = { queries: 0, answers: 0, timeouts: 0, wrong: 0, overTcp: 0 }
  /** It did not understand EDNS, and did without. */
  #plain = false

  constructor(server: Server, habits: UpstreamBehaviour) {
    this.server = server
    this.name = serverText(server)
    this.habits = habits
    this.health = new Health(habits.clock)
  }

  /** One answer, whatever its Rcode. Rejects with a DnsError. */
  async ask(question: Question, patience: WaitOptions): Promise<Message> {
    const { clock } = this.habits
    const begun = clock.now()
    this.#counts.queries++
    if (trace.on) tellUpstreamAsked(this.name, question, 'at first')
    try {
      const message = await this.#askAsUnderstood(question, patience)
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

  /** What was true of it before may not be any more. */
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

  /** Without EDNS when it does not know it (RFC 6891 §7), and from then on. */
  async #askAsUnderstood(question: Question, patience: WaitOptions): Promise<Message> {
    if (this.#plain) return (await this.#askOnce(question, patience, false)) as Message
    const first = await this.#askOnce(question, patience, true)
    if (first !== 'plain' && !dislikesEdns(first)) return first
    const second = (await this.#askOnce(question, patience, false)) as Message
    this.#plain = !isFailure(second.rcode)
    return second
  }

  /** `plain` only for what was asked with EDNS. */
  async #askOnce(question: Question, patience: WaitOptions, edns: boolean): Promise<Message | 'plain'> {
    const over = this.habits.tcpOnly ? 'tcp' : await askUdp(this.#try(question, patience, edns))
    if (over !== 'tcp') return over
    if (trace.on) tellUpstreamAsked(this.name, question, 'over TCP')
    this.#counts.overTcp++
    return await this.#tcp.ask(this.#try(question, patience, edns))
  }

  #try(question: Question, { ms, signal }: WaitOptions, edns: boolean): Try {
    const { clock, dialer, mixedCase, trustAd } = this.habits
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
