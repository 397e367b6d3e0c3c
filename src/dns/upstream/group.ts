import { randomInt } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { DnsError } from '../errors.ts'
import type { Message } from '../wire/message.ts'
import type { Question } from '../wire/question.ts'
import type { ResolvConf } from './conf/resolv-conf.ts'
import { type Server, serverText } from './conf/server.ts'
import { hedge } from './hedge.ts'
import { Upstream, type UpstreamBehaviour } from './upstream.ts'

/** Whom to ask first: the first of the list, anybody, or who answered fastest of late. */
export type Policy = 'sequential' | 'random' | 'fastest'

/** What a group is made of: servers, and how they are to be asked. */
export type GroupConf = Pick<
  ResolvConf,
  'servers' | 'timeout' | 'attempts' | 'rotate' | 'tcpOnly' | 'trustAd'
>

/** What a list of servers given by hand is asked like. */
export const plainConf = { timeout: 5, attempts: 2, rotate: false, tcpOnly: false, trustAd: false } as const

export interface GroupOptions {
  /** The domain these servers are for; `.` for all that is left. */
  readonly zone: string
  readonly habits: UpstreamBehaviour
  readonly policy: Policy
  readonly hedgeMs: number
}

/** An asker is gone long before: nothing that comes later is worth an open socket. */
const longestTryMs = 5000

/** The servers for one domain. */
export class Group {
  readonly #options: GroupOptions
  #conf: GroupConf
  #upstreams: readonly Upstream[] = []
  readonly #closing = new AbortController()

  constructor(conf: GroupConf, options: GroupOptions) {
    this.#options = options
    this.#conf = conf
    // Each question under way listens.
    setMaxListeners(0, this.#closing.signal)
    this.use(conf)
  }

  get upstreams(): readonly Upstream[] {
    return this.#upstreams
  }
  get zone(): string {
    return this.#options.zone
  }
  get trustAd(): boolean {
    return this.#conf.trustAd
  }

  /** Other servers. Those that stay keep what is known about them. */
  use(conf: GroupConf): void {
    const habits = { ...this.#options.habits, tcpOnly: conf.tcpOnly, trustAd: conf.trustAd }
    const before = new Map(this.#upstreams.map(upstream => [upstream.name, upstream]))
    this.#conf = conf
    this.#upstreams = conf.servers.map(server => this.#keep(before, { server, habits }))
    for (const gone of before.values()) void gone.close()
  }

  /** One answer, from whoever gives the first good one. Rejects with a DnsError. */
  ask(question: Question): Promise<Message> {
    const { habits, hedgeMs } = this.#options
    const { timeout, attempts } = this.#conf
    const upstreams = this.#closing.signal.aborted ? [] : this.#order()
    if (upstreams.length === 0) return Promise.reject(this.#nobody())
    return hedge({
      clock: habits.clock,
      upstreams,
      question,
      hedgeMs,
      tryMs: Math.min(timeout * 1000, longestTryMs),
      // A lone server whose answer is lost is asked a third time while the asker still waits.
      rounds: upstreams.length === 1 ? Math.max(attempts, 3) : attempts,
      signal: this.#closing.signal,
    })
  }

  /** Whoever waits for an answer is told that there is none. */
  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.all(this.#upstreams.map(upstream => upstream.close()))
  }

  #keep(
    before: Map<string, Upstream>,
    { server, habits }: { server: Server; habits: UpstreamBehaviour },
  ): Upstream {
    const name = serverText(server)
    const upstream = before.get(name) ?? new Upstream(server, habits)
    before.delete(name)
    upstream.habits = habits
    return upstream
  }

  /** Who is down comes last; who leads back to us does not come at all. */
  #order(): Upstream[] {
    const able = this.#upstreams.filter(({ loops }) => !loops)
    const preferred = this.#preferred(able)
    // Only until somebody leads: the turn of one that was down is not spent behind somebody's back.
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
    // One in twenty goes to anybody, or who was slow once would never be seen to have become fast.
    if (randomInt(20) === 0) return shuffled(upstreams)
    return upstreams.toSorted((a, b) => (a.health.rtt ?? 0) - (b.health.rtt ?? 0))
  }

  #nobody(): DnsError {
    const loops = this.#upstreams.length > 0
    return new DnsError({
      code: 'NO_UPSTREAM',
      op: 'resolve names below',
      target: this.#options.zone,
      reason: loops ? 'every name server leads back to this forwarder' : 'there is no name server to ask',
    })
  }
}

function shuffled<T>(values: readonly T[]): T[] {
  const left = [...values]
  return values.map(() => left.splice(randomInt(left.length), 1)[0]!)
}
