import { randomInt } from 'node:crypto'
import { DnsError } from '../errors.ts'
import type { Question } from '../wire/question.ts'
import type { Cancellable } from './cancellation.ts'
import type { ResolvConf } from './conf/resolv-conf.ts'
import { type Server, serverText } from './conf/server.ts'
import { type AnswerReceiver, Hedge, type HedgeManner } from './hedge.ts'
import { Upstream, type UpstreamBehaviour } from './upstream.ts'

/**
 * Which upstream is asked first: the first of the list, a random one, or the one with the fastest recent
 * answers.
 */
export type Policy = 'sequential' | 'random' | 'fastest'

/** The servers of a group, and how to query them. */
export type GroupConf = Pick<
  ResolvConf,
  'servers' | 'timeout' | 'attempts' | 'rotate' | 'tcpOnly' | 'trustAd'
>

/** The settings for a list of servers given by hand. */
export const plainConf = { timeout: 5, attempts: 2, rotate: false, tcpOnly: false, trustAd: false } as const

export interface GroupOptions {
  /** The domain that these servers are for; `.` for all others. */
  readonly zone: string
  readonly behaviour: UpstreamBehaviour
  readonly policy: Policy
  readonly hedgeMs: number
}

/** Clients give up long before: an answer after this time is not worth an open socket. */
const longestTryMs = 5000

/** The servers for one domain. */
export class Group {
  readonly #options: GroupOptions
  #conf: GroupConf
  #manner!: HedgeManner
  #upstreams: readonly Upstream[] = []
  readonly #pending = new Set<Cancellable>()
  #closed = false

  constructor(conf: GroupConf, options: GroupOptions) {
    this.#options = options
    this.#conf = conf
    this.use(conf)
  }

  get upstreams(): readonly Upstream[] {
    return this.#upstreams
  }
  get zone(): string {
    return this.#options.zone
  }

  /** Sets the servers. Those that stay keep their health and round-trip time. */
  use(conf: GroupConf): void {
    const { hedgeMs } = this.#options
    const behaviour = { ...this.#options.behaviour, tcpOnly: conf.tcpOnly, trustAd: conf.trustAd }
    const before = new Map(this.#upstreams.map(upstream => [upstream.name, upstream]))
    this.#conf = conf
    this.#manner = {
      clock: behaviour.clock,
      hedgeMs,
      tryMs: Math.min(conf.timeout * 1000, longestTryMs),
      attempts: conf.attempts,
      over: asked => this.#pending.delete(asked),
    }
    this.#upstreams = conf.servers.map(server => this.#keep(before, { server, behaviour }))
    for (const gone of before.values()) void gone.close()
  }

  /** Asks for the first good answer of any server. */
  ask(question: Question, receiver: AnswerReceiver): Cancellable {
    const upstreams = this.#closed ? [] : this.#order()
    if (upstreams.length === 0) {
      queueMicrotask(() => receiver.failed(this.#noServer()))
      return { cancel() {} }
    }
    const asked = new Hedge(question, receiver, this.#manner)
    this.#pending.add(asked)
    asked.start(upstreams)
    return asked
  }

  /** Rejects all pending queries. */
  async close(): Promise<void> {
    this.#closed = true
    for (const asked of this.#pending) asked.cancel()
    await Promise.all(this.#upstreams.map(upstream => upstream.close()))
  }

  #keep(
    before: Map<string, Upstream>,
    { server, behaviour }: { server: Server; behaviour: UpstreamBehaviour },
  ): Upstream {
    const name = serverText(server)
    const upstream = before.get(name) ?? new Upstream(server, behaviour)
    before.delete(name)
    upstream.behaviour = behaviour
    return upstream
  }

  /** The order of servers: those that are down come last, and those that loop are omitted. */
  #order(): readonly Upstream[] {
    const only = this.#upstreams[0]
    if (only?.health.healthy && !only.loops && this.#upstreams.length === 1) return this.#upstreams
    const able = this.#upstreams.filter(({ loops }) => !loops)
    const preferred = this.#preferred(able)
    // The search ends at the first that may lead: a server that was down keeps its test query until it would lead.
    const first = preferred.findIndex(({ health }) => health.mayLead())
    const lead = preferred[first]
    if (!lead) return preferred
    const others = preferred.filter(other => other !== lead)
    return [
      lead,
      ...others.filter(({ health }) => health.healthy),
      ...others.filter(({ health }) => !health.healthy),
    ]
  }

  #preferred(upstreams: Upstream[]): Upstream[] {
    const { policy } = this.#options
    if (policy === 'random' || this.#conf.rotate) return shuffled(upstreams)
    if (policy === 'sequential') return upstreams
    // One query in twenty goes to a random server: otherwise a server that was slow once would never be
    // measured again.
    if (randomInt(20) === 0) return shuffled(upstreams)
    return upstreams.toSorted((a, b) => (a.health.rtt ?? 0) - (b.health.rtt ?? 0))
  }

  #noServer(): DnsError {
    const loops = this.#upstreams.length > 0
    return new DnsError({
      code: 'NO_UPSTREAM',
      op: 'resolve names below',
      target: this.#options.zone,
      reason: loops ? 'every name server leads back to this forwarder' : 'no name server is configured',
    })
  }
}

function shuffled<T>(values: readonly T[]): T[] {
  const left = [...values]
  return values.map(() => left.splice(randomInt(left.length), 1)[0]!)
}
