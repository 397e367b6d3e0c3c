import type { TLSSocket } from 'node:tls'
import type { ClusterEvent } from '../api/index.ts'
import {
  type Deferred,
  defer,
  durationText,
  type ErrorJson,
  errorToJson,
  RemoteError,
  systemClock,
  within,
} from '../base/index.ts'
import { startCancelled } from '../cluster/index.ts'
import type { EngineValues } from './engine.ts'
import { FleetError } from './errors.ts'
import { checkHello, hostName } from './facts.ts'
import { type Go, type Hello, Link, type LinkMessage } from './link.ts'

/** How long an end of all members may take before the leader ends without them. */
const endMs = 10_000

export interface MembersOptions {
  readonly values: EngineValues
  /** The lab's name. */
  readonly lab: string
  /** What the leader's own host says. */
  readonly mine: Hello
  event(rank: number, event: ClusterEvent): void
  /** A member has gone that was ready. */
  lost(rank: number, reason: string): void
}

interface Member {
  readonly rank: number
  readonly link: Link
  readonly hello: Hello
  readonly ready: Deferred<void>
  readonly gone: Deferred<void>
}

/** The other hosts, as the leader sees them: `joining → starting → ready → gone`. */
export class Members {
  readonly #options: MembersOptions
  readonly #members = new Map<number, Member>()
  readonly #gone = new Map<number, string>()
  readonly #strangers = new Set<Link>()
  readonly #joined = defer()
  /** Rejects when the first member has gone. */
  readonly #whole = defer<never>()
  readonly #leaving: readonly AbortController[]

  constructor(options: MembersOptions) {
    this.#options = options
    this.#joined.promise.catch(() => {})
    this.#whole.promise.catch(() => {})
    this.#leaving = Array.from(options.values.peers, () => new AbortController())
    if (options.values.count === 1) this.#joined.resolve()
  }

  /** Why a host has gone. Undefined while it is there. */
  gone(rank: number): string | undefined {
    return this.#gone.get(rank)
  }

  /** Aborts when that host has gone. */
  leaving(rank: number): AbortSignal {
    return this.#leaving[rank]!.signal
  }

  /** A connection of a host that has the secret. Its first message says which it is. */
  accept(socket: TLSSocket): void {
    let member: Member | undefined
    const link: Link = new Link(socket, {
      message: message => {
        if (message.type === 'hello') member ??= this.#take(link, message)
        else if (member) this.#hear(member, message)
      },
      lost: reason => {
        this.#strangers.delete(link)
        if (member) this.#lose(member, reason)
      },
    })
    this.#strangers.add(link)
  }

  /** What each host says, by number. Throws HOST_ABSENT, HOST_DIFFERS, HOST_TWICE and HOST_LOST. */
  async gather(ms: number): Promise<Hello[]> {
    await within(this.#joined.promise, { clock: systemClock, ms, late: () => this.#absent(ms) })
    const { mine, values } = this.#options
    return Array.from({ length: values.count }, (_, rank) => this.#members.get(rank)?.hello ?? mine)
  }

  go(message: Go): void {
    for (const { link } of this.#members.values()) link.send(message)
  }

  /** Resolves when all have started. Rejects with the reason of the first that has not, or has gone. */
  async ready(): Promise<void> {
    const all = Promise.all(Array.from(this.#members.values(), ({ ready }) => ready.promise))
    await Promise.race([all, this.#whole.promise])
  }

  /** Tells them that all have started. Throws HOST_LOST when one of them has gone. */
  started(): void {
    for (const [rank, reason] of this.#gone) throw this.#lostError(rank, reason)
    for (const { link } of this.#members.values()) link.send({ type: 'ready' })
  }

  /** Ends all of them, because of a failure. */
  refuse(failure: unknown): void {
    this.#joined.reject(failure)
    const { stack: _, ...error } = errorToJson(failure)
    for (const link of this.#links()) link.send({ type: 'refused', error })
  }

  stop(): void {
    for (const link of this.#links()) link.send({ type: 'stop' })
    for (const { ready } of this.#members.values()) ready.reject(startCancelled(this.#options.lab))
  }

  /** Resolves when all have gone, or after some seconds. */
  async close(): Promise<void> {
    const all = Promise.all(Array.from(this.#members.values(), ({ gone }) => gone.promise))
    const late = () => new Error('late')
    await within(all, { clock: systemClock, ms: endMs, late }).catch(() => {})
    await Promise.all(this.#links().map(link => link.close()))
  }

  #links(): Link[] {
    return [...Array.from(this.#members.values(), ({ link }) => link), ...this.#strangers]
  }

  #take(link: Link, hello: Hello): Member | undefined {
    const { values, mine } = this.#options
    const { rank } = hello
    try {
      if (!Number.isInteger(rank) || rank < 1 || rank >= values.count || this.#members.has(rank))
        throw twice(hostName(values, rank))
      checkHello(mine, hello, hostName(values, rank))
    } catch (failure) {
      link.send({ type: 'refused', error: errorToJson(failure) })
      // One more of a host that is there is turned away; one that differs ends the start.
      if (!this.#members.has(rank)) this.#joined.reject(failure)
      return undefined
    }
    const member = { rank, link, hello, ready: defer(), gone: defer() }
    member.ready.promise.catch(() => {})
    this.#strangers.delete(link)
    this.#members.set(rank, member)
    if (this.#members.size === values.count - 1) this.#joined.resolve()
    return member
  }

  #hear(member: Member, message: LinkMessage): void {
    const { rank } = member
    if (message.type === 'event') this.#options.event(rank, message.event)
    else if (message.type === 'ready') {
      member.link.started()
      member.ready.resolve()
    } else if (message.type === 'failed')
      member.ready.reject(failedOn(hostName(this.#options.values, rank), message.error))
    else if (message.type === 'stopped') {
      void member.link.close()
      this.#lose(member, 'it was stopped')
    }
  }

  #lose(member: Member, reason: string): void {
    const { rank } = member
    if (this.#gone.has(rank)) return
    this.#gone.set(rank, reason)
    const failure = this.#lostError(rank, reason)
    this.#joined.reject(failure)
    member.ready.reject(failure)
    this.#whole.reject(failure)
    this.#leaving[rank]!.abort(failure)
    member.gone.resolve()
    this.#options.lost(rank, reason)
  }

  #lostError(rank: number, reason: string): FleetError {
    return hostLost(hostName(this.#options.values, rank), reason)
  }

  #absent(ms: number): FleetError {
    const { values } = this.#options
    const ranks = Array.from({ length: values.count - 1 }, (_, i) => i + 1)
    const absent = ranks.filter(rank => !this.#members.has(rank)).map(rank => hostName(values, rank))
    return new FleetError({
      code: 'HOST_ABSENT',
      op: 'wait for',
      target: absent.join(', '),
      reason: `no word within ${durationText(ms)}`,
      remedy: 'See what its process says; the control port must be open between the hosts',
    })
  }
}

/** An error of a host's own part, with the host in it. */
export function failedOn(host: string, error: ErrorJson): Error {
  const isNamed = error.message.includes(host)
  return new RemoteError(isNamed ? error : { ...error, reason: `on ${host}: ${error.reason}` })
}

/** A host that the lab no longer has. */
export function hostLost(target: string, reason: string): FleetError {
  return new FleetError({ code: 'HOST_LOST', op: 'reach', target, reason })
}

function twice(target: string): FleetError {
  return new FleetError({
    code: 'HOST_TWICE',
    kind: 'usage',
    op: 'take in',
    target,
    reason: 'the lab has no such host, or has it already',
    remedy: 'Give each host a number of its own, from 0',
  })
}
