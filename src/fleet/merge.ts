import type {
  Counters,
  ImpairedLinks,
  NodeStatus,
  OwnNames,
  ReachReport,
  Status,
  VerifyReport,
} from '../api/index.ts'
import type { NodePlan } from '../plan/index.ts'

// The answers of all hosts as one, that of the leader first.

/** `missing` are the nodes of hosts that do not answer, each with the reason. */
export function mergedStatus(
  [leader, ...others]: readonly [Status, ...Status[]],
  missing: readonly { readonly node: NodePlan; readonly reason: string }[],
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

export function mergedReach(all: readonly ReachReport[]): ReachReport {
  return { v: 1, ok: all.every(({ ok }) => ok), pairs: all.flatMap(({ pairs }) => pairs) }
}

export function mergedVerify(all: readonly VerifyReport[]): VerifyReport {
  const sum = (what: 'planned' | 'broken') => all.reduce((total, { paths }) => total + paths[what], 0)
  return {
    v: 1,
    ok: all.every(({ ok }) => ok),
    differences: all.flatMap(({ differences }) => differences),
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

function labelled(sample: string, host: number): string {
  const [, name, labels, value] = /^([^\s{]+)(?:\{(.*)\})?(\s.*)$/.exec(sample) ?? []
  if (name === undefined) return sample
  return `${name}{${[`host="${host}"`, labels].filter(Boolean).join(',')}}${value}`
}
