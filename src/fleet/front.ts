import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Counters, Status } from '../api/index.ts'
import { dashed, type Verb, verbs } from '../api/index.ts'
import { version, versionHeader } from '../base/index.ts'
import type { Answering } from '../owner/index.ts'
import { idOf, nodeMissing } from '../plan/index.ts'
import { FleetError } from './errors.ts'
import type { PlacedLab } from './lab.ts'
import { hostLost } from './members.ts'
import * as merge from './merge.ts'
import { joinPackets } from './packets.ts'
import { askHost, askText, passOn, passUpgrade, type Remote, refuse, refuseUpgrade } from './requests.ts'

export interface FrontOptions {
  readonly lab: PlacedLab
  /** All hosts, the leader's own among them. */
  readonly remotes: readonly Remote[]
  /** What answers for the nodes of the leader's host. */
  readonly local: Answering
  /** What the status says of the hosts. */
  readonly about: Pick<Status, 'hosts' | 'encrypted'>
  /** Why a host has gone. */
  gone(rank: number): string | undefined
}

/** Bytes. As that of an owner's own API. */
const bodyLimit = 64 * 1024 * 1024

/** What the leader answers: for one node, the host that has it; for the lab, all hosts as one. */
export class Front implements Answering {
  readonly #options: FrontOptions
  readonly #verbs: ReadonlyMap<string, Verb>

  constructor(options: FrontOptions) {
    this.#options = options
    this.#verbs = new Map(Object.values<Verb>(verbs).map(verb => [`${verb.method} ${verb.path}`, verb]))
  }

  request(asked: IncomingMessage, answer: ServerResponse): void {
    this.#request(asked, answer).catch(failure =>
      answer.headersSent ? answer.destroy() : refuse(answer, failure),
    )
  }

  upgrade(asked: IncomingMessage, peer: Duplex): void {
    this.#upgrade(asked, peer).catch(failure => refuseUpgrade(peer, failure))
  }

  /** Of all nodes, on the leader's clock. */
  async counters(): Promise<Counters> {
    return merge.mergedCounters((await this.#askAll(verbs.counters, {})) as [Counters, ...Counters[]])
  }

  close(): Promise<void> {
    return this.#options.local.close()
  }

  async #request(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { pathname } = new URL(asked.url ?? '/', 'http://lab')
    const node = nodeOfPath(pathname)
    if (node !== undefined) return this.#toNode(this.#rankOf(node), asked, answer)
    const verb = this.#verbs.get(`${asked.method} ${pathname}`)
    const way = verb && ways[verb.name as keyof typeof verbs]
    if (!verb || !way || way === 'node' || way === 'leader') return this.#options.local.request(asked, answer)
    if (way === 'refused') throw notOverHosts(verb)
    if (way === 'metrics') return send(answer, await this.#metrics(), 'text/plain; version=0.0.4')
    const question = verb.method === 'GET' ? {} : await bodyOf(asked)
    send(answer, JSON.stringify(await this.#answer(verb, way, question)), 'application/json')
  }

  #toNode(rank: number, asked: IncomingMessage, answer: ServerResponse): void {
    if (rank === 0) this.#options.local.request(asked, answer)
    else if (/\/capture$/.test(asked.url ?? '')) throw captureThere(this.#remote(rank).name)
    else passOn(this.#remote(rank), asked, answer)
  }

  async #answer(verb: Verb, way: 'status' | 'change' | Merge, question: Question): Promise<unknown> {
    if (way === 'status') return await this.#status()
    const answers = await this.#askAll(verb, question)
    if (way === 'change') return await this.#status()
    const missing = this.#lost().flatMap(lost => this.#nodesOf(lost))
    return way(answers as never, missing, this.#options.lab)
  }

  /** Asks each host for its nodes of those that the question names. Throws the first error, when all have answered. */
  async #askAll(verb: Verb, question: Question): Promise<unknown[]> {
    const shares = this.#sharesOf(question)
    const answers = await Promise.allSettled(
      shares.map(async ([rank, share]) => await askHost(this.#remote(rank), verb, share as object)),
    )
    const failed = answers.filter(answer => answer.status === 'rejected')
    const good = answers.filter(answer => answer.status === 'fulfilled').map(({ value }) => value)
    // A name is removed where it is.
    if (failed.length > 0 && !(verb.name === 'nameRemove' && good.length > 0)) throw failed[0]!.reason
    return good
  }

  /** Without nodes: all hosts that are there. */
  #sharesOf(question: Question): (readonly [rank: number, share: Question])[] {
    const { nodes } = question
    if (!Array.isArray(nodes)) return this.#alive().map(rank => [rank, question])
    const byRank = new Map<number, unknown[]>()
    for (const node of nodes) {
      const rank = this.#rankOf(node)
      byRank.set(rank, [...(byRank.get(rank) ?? []), node])
    }
    return Array.from(byRank, ([rank, own]) => [rank, { ...question, nodes: own }])
  }

  async #status(): Promise<Status> {
    const { remotes } = this.#options
    const answers = await Promise.all(
      remotes.map(async ({ name }, rank) => {
        try {
          return (await askHost(this.#remote(rank), verbs.status)) as Status
        } catch (failure) {
          const gone = this.#options.gone(rank)
          const reason = gone === undefined ? (failure as Error).message : `${name}: ${gone}`
          if (rank === 0) throw failure
          return { rank, reason }
        }
      }),
    )
    const statuses = answers.filter(answer => 'v' in answer)
    const missing = answers.flatMap(answer => ('v' in answer ? [] : this.#nodesOf(answer)))
    return { ...merge.mergedStatus(statuses as [Status, ...Status[]], missing), ...this.#options.about }
  }

  /** The hosts that have gone. */
  #lost(): LostHost[] {
    return this.#options.remotes.flatMap(({ name }, rank) => {
      const gone = this.#options.gone(rank)
      return gone === undefined ? [] : [{ rank, reason: `${name}: ${gone}` }]
    })
  }

  #nodesOf({ rank, reason }: LostHost): merge.MissingNode[] {
    const { plan, placement } = this.#options.lab
    return plan.nodes.filter(({ id }) => placement.get(id) === rank).map(node => ({ node, reason }))
  }

  async #metrics(): Promise<string> {
    const texts = this.#alive().map(
      async rank => [rank, await askText(this.#remote(rank), verbs.metrics)] as const,
    )
    const lost = this.#lost().map(
      host => [host.rank, merge.failedMetrics(this.#options.lab.plan.name, this.#nodesOf(host))] as const,
    )
    return merge.mergedMetrics([...(await Promise.all(texts)), ...lost])
  }

  #alive(): number[] {
    return this.#options.remotes.map((_, rank) => rank).filter(rank => this.#options.gone(rank) === undefined)
  }

  #remote(rank: number): Remote {
    const remote = this.#options.remotes[rank]!
    const gone = this.#options.gone(rank)
    if (gone !== undefined) throw hostLost(remote.name, gone)
    return remote
  }

  #rankOf(node: unknown): number {
    const { plan, placement } = this.#options.lab
    const id = typeof node === 'string' || typeof node === 'number' ? idOf(node) : undefined
    const rank = id === undefined ? undefined : placement.get(id)
    if (rank !== undefined) return rank
    throw nodeMissing(plan.name, { asked: String(node), has: plan.nodes.map(each => each.id) })
  }

  /** Of one node, or a capture of any: that of each host that has some of them. */
  async #upgrade(asked: IncomingMessage, peer: Duplex): Promise<void> {
    const { pathname, searchParams } = new URL(asked.url ?? '/', 'http://lab')
    const node = nodeOfPath(pathname)
    if (node !== undefined) {
      const rank = this.#rankOf(node)
      if (rank === 0) this.#options.local.upgrade(asked, peer)
      else passUpgrade(this.#remote(rank), asked, peer)
      return
    }
    const nodes = searchParams.get('nodes')?.split(',')
    const shares = this.#sharesOf({ nodes })
    await joinPackets(
      shares.map(([rank, share]) => [this.#remote(rank), pathFor(pathname, searchParams, share)] as const),
      peer,
    )
  }
}

/** The same question for some of its nodes. */
function pathFor(pathname: string, asked: URLSearchParams, { nodes }: Question): string {
  const search = new URLSearchParams(asked)
  if (Array.isArray(nodes)) search.set('nodes', nodes.join())
  return search.size > 0 ? `${pathname}?${search}` : pathname
}

interface LostHost {
  readonly rank: number
  /** With the host. */
  readonly reason: string
}

interface Question {
  readonly nodes?: unknown
}

type Merge = (answers: never, missing: readonly merge.MissingNode[], lab: PlacedLab) => unknown

/**
 * Who answers for a verb: the host of its node; the leader's own part for the lab; all hosts, with their answers as one or
 * with the status after it. Others are refused.
 */
const ways = {
  ...{ exec: 'node', spawn: 'node', console: 'node', log: 'node', capture: 'node', impair: 'node' },
  ...{ stop: 'leader', events: 'leader', packets: 'leader' }, // an upgrade for packets does not come this way
  ...{ pause: 'change', resume: 'change', halt: 'change', reset: 'change' },
  ...{ freeze: 'refused', scaleout: 'refused', scalein: 'refused', apply: 'refused' },
  ...{ dnsFaults: 'refused', dnsFaultAdd: 'refused', dnsFaultClear: 'refused' },
  ...{ status: 'status', metrics: 'metrics' },
  ...{ counters: merge.mergedCounters, check: merge.mergedReach, verify: merge.mergedVerify },
  ...{ links: merge.mergedLinks, names: merge.mergedNames },
  ...{ nameAdd: merge.mergedNames, nameRemove: merge.mergedNames },
} as const satisfies Readonly<
  Record<keyof typeof verbs, 'node' | 'leader' | 'change' | 'refused' | 'status' | 'metrics' | Merge>
>

function nodeOfPath(pathname: string): string | undefined {
  const node = /^\/v1\/nodes\/([^/]+)\//.exec(pathname)?.[1]
  return node === undefined ? undefined : decodeURIComponent(node)
}

async function bodyOf(asked: IncomingMessage): Promise<Question> {
  const pieces: Buffer[] = []
  let length = 0
  for await (const piece of asked as AsyncIterable<Buffer>) {
    length += piece.length
    if (length > bodyLimit) throw badBody('it is too large')
    pieces.push(piece)
  }
  if (length === 0) return {}
  try {
    const value: unknown = JSON.parse(Buffer.concat(pieces).toString())
    if (typeof value === 'object' && value !== null) return value
  } catch {
    // refused below
  }
  throw badBody('its body must be a JSON object')
}

function send(answer: ServerResponse, body: string, type: string): void {
  answer.writeHead(200, { 'content-type': type, [versionHeader]: version })
  answer.end(body)
}

function badBody(reason: string): FleetError {
  return new FleetError({ code: 'BAD_REQUEST', kind: 'usage', op: 'read request', reason })
}

function notOverHosts({ name }: Verb): FleetError {
  const reason = 'each host would do it alone, and a lab over several hosts has no common moment for it yet'
  const target = dashed(name)
  return new FleetError({ code: 'NOT_OVER_HOSTS', kind: 'usage', op: 'ask for', target, reason })
}

/** The file would be on another host than the command that fetches it. */
function captureThere(host: string): FleetError {
  return new FleetError({
    code: 'NOT_OVER_HOSTS',
    kind: 'usage',
    op: 'capture',
    reason: `the file would be on ${host}`,
    remedy: 'Capture the node into one stream, which comes from any host',
  })
}
