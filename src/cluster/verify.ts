import type { ImpairedLink } from '../api/index.ts'
import { type Clock, codeOf, durationText, messageOf, printable, until, within } from '../base/index.ts'
import {
  changeMs,
  type GuestChannel,
  GuestKernel,
  observe,
  observeNeighbours,
  probe,
} from '../guest/index.ts'
import {
  type ClusterPlan,
  type Difference,
  type Expected,
  type FabricKind,
  joined,
  type LinkImpairments,
  type Observed,
  Verification,
} from '../plan/index.ts'
import type { ClusterNode } from './nodes/node.ts'

/** How a cluster differs from its plan. */
export interface Verified {
  readonly differences: readonly Difference[]
  /** Nodes whose guests could not be asked: nothing is known of them. */
  readonly unverified: readonly { readonly node: string; readonly reason: string }[]
  /** The ways from node to node that the plan has, and how many of them do not hold. */
  readonly paths: { readonly planned: number; readonly broken: number }
}

/** A cluster whose nodes and plan may change meanwhile. */
export interface Verifying {
  readonly current: () => { readonly nodes: readonly ClusterNode[]; readonly plan: ClusterPlan }
  readonly kind: FabricKind
  readonly clock: Clock
}

interface Limits {
  /** Milliseconds that differences may take to go away. */
  readonly withinMs: number
  readonly signal: AbortSignal | undefined
}

/** The plan with what impairs its links now, by whomever it was asked for. */
export function withImpaired(plan: ClusterPlan, impaired: readonly ImpairedLink[]): ClusterPlan {
  const nodes = plan.nodes.map(node => ({ ...node, impairments: impairmentsOf(node.name, impaired) }))
  return { ...plan, nodes }
}

/** What impairs the links of a node, by interface. */
export function impairmentsOf(
  name: string,
  impaired: readonly ImpairedLink[],
): Record<string, LinkImpairments> {
  const own = impaired.filter(({ node }) => node === name)
  const parts = (on: string) =>
    own.filter(({ dev }) => dev === on).map(({ node: _, net: __, dev: ___, by: ____, ...part }) => part)
  return Object.fromEntries(own.map(({ dev }) => [dev, joined(parts(dev))]))
}

/** Milliseconds between two readings: longer each time. */
const pauseMs = (readings: number) => Math.min(1000, 100 * 2 ** (readings - 1))
/** Milliseconds for neighbours to answer within one reading. */
const answerMs = 300
/** Characters of what a guest says in a difference. */
const longest = 500

/** Reads all nodes and compares them with the plan, again until nothing differs or the time is over. */
export function verifyCluster(cluster: Verifying, { withinMs, signal }: Limits): Promise<Verified> {
  let last: Verified | undefined
  return until(
    cluster.clock,
    async () => {
      last = await readOnce(cluster)
      return last.differences.length === 0 ? last : undefined
    },
    { everyMs: pauseMs, withinMs, signal, why: 'state of a guest' },
  ).then(verified => verified ?? last!)
}

/** What was seen of a node: what it has, why it cannot be asked, or what is wrong with all of it. */
type Seen =
  | { readonly observed: Observed }
  | { readonly unverified: string }
  | { readonly wrong: Pick<Difference, 'what' | 'should' | 'is'>; readonly gone: boolean }

async function readOnce({ current, kind, clock }: Verifying): Promise<Verified> {
  const { nodes, plan } = current()
  const verification = new Verification(plan, kind)
  const seen = await Promise.all(
    nodes.map(async node => ({
      ...{ id: node.plan.id, name: node.plan.name },
      what: await see(node, verification.expected(node.plan.id), clock),
    })),
  )
  const observed = new Map(seen.flatMap(({ id, what }) => ('observed' in what ? [[id, what.observed]] : [])))
  const gone = new Set(seen.flatMap(({ id, what }) => ('wrong' in what && what.gone ? [id] : [])))
  const { differences, paths } = verification.compare(observed, gone)
  const whole = seen.flatMap(({ name, what }) => ('wrong' in what ? [{ node: name, ...what.wrong }] : []))
  return {
    differences: [...whole, ...differences].map(each => ({ ...each, is: printable(each.is, longest) })),
    unverified: seen.flatMap(({ name, what }) =>
      'unverified' in what ? [{ node: name, reason: what.unverified }] : [],
    ),
    paths,
  }
}

async function see(node: ClusterNode, expected: Expected, clock: Clock): Promise<Seen> {
  const { state } = node
  if (state !== 'ready') return { wrong: { what: 'node', should: 'ready', is: state }, gone: true }
  try {
    const { channel } = node
    if (!channel) return { unverified: 'no xcluster-guest answers in its guest' }
    return { observed: await ask(channel, expected, clock) }
  } catch (failure) {
    const is = codeOf(failure) === 'NODE_NOT_READY' ? node.state : messageOf(failure)
    return { wrong: { what: 'guest', should: 'an answer', is }, gone: false }
  }
}

async function ask(channel: GuestChannel, expected: Expected, clock: Clock): Promise<Observed> {
  await using kernel = new GuestKernel(channel)
  const late = () => new Error(`none within ${durationText(changeMs)}`)
  return await within(askAll(kernel, expected, clock), { clock, ms: changeMs, late })
}

async function askAll(kernel: GuestKernel, expected: Expected, clock: Clock): Promise<Observed> {
  const sysctls = Object.keys(expected.sysctls)
  const observed = await observe(kernel, { sysctls, masquerades: expected.masquerades })
  const nextHops = expected.neighbours.filter(({ nextHop }) => nextHop)
  const known = (neighbours: Observed['neighbours'], { dev, address }: (typeof nextHops)[number]) =>
    neighbours.find(each => each.dev === dev && each.address === address)
  const probed = nextHops.flatMap(hop => {
    const { mac, state } = known(observed.neighbours, hop) ?? {}
    if (state === 'permanent' || state === 'noarp') return []
    return [{ ...hop, known: mac !== undefined && state !== 'failed' }]
  })
  if (probed.length === 0) return observed
  await probe(kernel, probed)
  let { neighbours } = observed
  const isOver = async () => {
    neighbours = await observeNeighbours(kernel, observed.links)
    return probed.every(hop => ['reachable', 'failed'].includes(known(neighbours, hop)?.state ?? ''))
  }
  await until(clock, isOver, {
    everyMs: looks => 10 * looks,
    withinMs: answerMs,
    why: 'state of a guest',
  })
  return { ...observed, neighbours }
}
