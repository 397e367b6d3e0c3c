import type {
  Counters,
  ImpairedLinks,
  NodeStatus,
  OwnNames,
  ReachReport,
  Status,
  VerifyReport,
} from '../api/index.ts'
import { nodeName } from '../base/index.ts'
import { type ClusterPlan, type NodePlan, reachTargets } from '../plan/index.ts'

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
  return { ...leader, ...(asked.length > 0 && { dns }), nodes: all.flatMap(({ nodes }) => nodes) }
}

/** A missing node reaches nothing. `plan` is that of the lab. */
export function mergedReach(
  all: readonly ReachReport[],
  missing: readonly MissingNode[],
  plan: ClusterPlan,
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

/** A missing node differs from the plan, as one that has failed. */
export function mergedVerify(all: readonly VerifyReport[], missing: readonly MissingNode[]): VerifyReport {
  const sum = (what: 'planned' | 'broken') => all.reduce((total, { paths }) => total + paths[what], 0)
  const lost = missing.map(({ node, reason }) => ({
    ...{ node: node.name, what: 'node', should: 'ready', is: `failed (${reason})` },
  }))
  return {
    v: 1,
    ok: missing.length === 0 && all.every(({ ok }) => ok),
    differences: [...lost, ...all.flatMap(({ differences }) => differences)],
    unverified: all.flatMap(({ unverified }) => unverified),
    paths: { planned: sum('planned'), broken: sum('broken') },
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
