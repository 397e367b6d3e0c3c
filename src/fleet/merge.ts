import type {
  Counters,
  ImpairedLinks,
  NodeStatus,
  OwnNames,
  ReachReport,
  Status,
  TunnelCounts,
  VerifyReport,
} from '../api/index.ts'
import { nodeName } from '../base/index.ts'
import { type NodePlan, reachTargets, Verification } from '../plan/index.ts'
import { type PlacedLab, planOn } from './lab.ts'

// The answers of all hosts as one, that of the leader first.

/** A node of a host that does not answer. */
export interface MissingNode {
  readonly node: NodePlan
  /** Why, with the host. */
  readonly reason: string
}

export function mergedStatus(
  [leader, ...others]: readonly [Status, ...Status[]],
  missing: readonly MissingNode[],
): Status {
  const all = [leader, ...others]
  const lost = missing.map(({ node, reason }): NodeStatus => {
    const { id, name, role, nets } = node
    return { id, name, role, nets, state: 'failed', reason, milestones: {}, console: '' }
  })
  const nodes = [...all.flatMap(status => status.nodes), ...lost]
  return { ...leader, nodes: nodes.sort((a, b) => a.id - b.id) }
}

export function mergedCounters([leader, ...others]: readonly [Counters, ...Counters[]]): Counters {
  const all = [leader, ...others]
  const asked = all.flatMap(({ dns }) => dns ?? [])
  const dns = {
    questions: asked.reduce((sum, { questions }) => sum + questions, 0),
    answeredHere: asked.reduce((sum, { answeredHere }) => sum + answeredHere, 0),
  }
  const tunnels = all.flatMap(({ tunnel }) => tunnel ?? [])
  return {
    ...leader,
    ...(asked.length > 0 && { dns }),
    ...(tunnels.length > 0 && { tunnel: tunnels.reduce(both) }),
    nodes: all.flatMap(({ nodes }) => nodes),
  }
}

function both(a: TunnelCounts, b: TunnelCounts): TunnelCounts {
  const names = Object.keys(a) as (keyof TunnelCounts)[]
  return Object.fromEntries(names.map(name => [name, a[name] + b[name]])) as unknown as TunnelCounts
}

/** A missing node reaches nothing. */
export function mergedReach(
  all: readonly ReachReport[],
  missing: readonly MissingNode[],
  { plan }: Pick<PlacedLab, 'plan'>,
): ReachReport {
  const lost = reachTargets(plan)
    .filter(({ from }) => missing.some(({ node }) => node.id === from))
    .map(target => ({ ...target, from: nodeName(target.from), to: nodeName(target.to), ok: false }))
  return {
    v: 1,
    ok: missing.length === 0 && all.every(({ ok }) => ok),
    pairs: [...all.flatMap(({ pairs }) => pairs), ...lost],
  }
}

/** A missing node differs from the plan, as one that has failed, and its paths are broken, from it and to it. */
export function mergedVerify(
  all: readonly VerifyReport[],
  missing: readonly MissingNode[],
  lab: Pick<PlacedLab, 'plan' | 'placement'>,
): VerifyReport {
  const sum = (what: 'planned' | 'broken') => all.reduce((total, { paths }) => total + paths[what], 0)
  const without = missing.length === 0 ? none : lostPaths(missing, lab)
  const planned = sum('planned') + without.planned
  const lost = missing.map(({ node, reason }) => ({
    ...{ node: node.name, what: 'node', should: 'ready', is: `failed (${reason})` },
  }))
  return {
    v: 1,
    ok: missing.length === 0 && all.every(({ ok }) => ok),
    differences: [...lost, ...all.flatMap(({ differences }) => differences)],
    unverified: all.flatMap(({ unverified }) => unverified),
    // A path that is broken in both ways counts twice, and never more than there are.
    paths: { planned, broken: Math.min(planned, sum('broken') + without.broken) },
  }
}

const none = { planned: 0, broken: 0 }

/** Paths of hosts that have gone, which are in no answer, and how many of all are broken for that reason alone. */
function lostPaths(
  missing: readonly MissingNode[],
  lab: Pick<PlacedLab, 'plan' | 'placement'>,
): VerifyReport['paths'] {
  const gone = new Set(missing.map(({ node }) => node.id))
  const gonePlaces = new Set([...gone].map(id => lab.placement.get(id)))
  const counts = [...new Set(lab.placement.values())].map(host => {
    const { paths } = new Verification(planOn(host, lab)).compare(new Map(), gone)
    return { planned: gonePlaces.has(host) ? paths.planned : 0, broken: paths.broken }
  })
  return {
    planned: counts.reduce((total, { planned }) => total + planned, 0),
    broken: counts.reduce((total, { broken }) => total + broken, 0),
  }
}

export function mergedLinks(all: readonly ImpairedLinks[]): ImpairedLinks {
  return { v: 1, links: all.flatMap(({ links }) => links) }
}

/** Each host answers for the same names. */
export function mergedNames([first, ...others]: readonly [OwnNames, ...OwnNames[]]): OwnNames {
  const texts = new Set<string>()
  const names = [first, ...others].flatMap(answer => answer.names)
  const isNew = (name: OwnNames['names'][number]) =>
    !texts.has(JSON.stringify(name)) && texts.add(JSON.stringify(name))
  return { ...first, names: names.filter(isNew) }
}

/**
 * Text for Prometheus: each sample with its host as a label, and the samples of a metric together, as its format wants
 * (docs/instrumenting/exposition_formats.md of Prometheus).
 */
export function mergedMetrics(texts: readonly (readonly [host: number, text: string])[]): string {
  const metrics = new Map<string, { readonly head: Set<string>; readonly samples: string[] }>()
  for (const [host, text] of texts) {
    let name = ''
    for (const line of text.split('\n').filter(Boolean)) {
      name = /^# (?:HELP|TYPE) (\S+)/.exec(line)?.[1] ?? name
      const metric = metrics.get(name) ?? { head: new Set(), samples: [] }
      metrics.set(name, metric)
      if (line.startsWith('#')) metric.head.add(line)
      else metric.samples.push(labelled(line, host))
    }
  }
  const lines = [...metrics.values()].flatMap(({ head, samples }) => [...head, ...samples])
  return lines.map(line => `${line}\n`).join('')
}

/** What the host of missing nodes would say of them. */
export function failedMetrics(cluster: string, missing: readonly MissingNode[]): string {
  const samples = missing.map(
    ({ node: { name, role } }) =>
      `xcluster_node_state{cluster="${cluster}",node="${name}",role="${role}",state="failed"} 1\n`,
  )
  return ['# TYPE xcluster_node_state gauge\n', ...samples].join('')
}

function labelled(sample: string, host: number): string {
  const [, name, labels, value] = /^([^\s{]+)(?:\{(.*)\})?(\s.*)$/.exec(sample) ?? []
  if (name === undefined) return sample
  return `${name}{${[`host="${host}"`, labels].filter(Boolean).join(',')}}${value}`
}
