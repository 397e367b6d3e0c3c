import { mtuOf } from '../network/bridges.ts'
import type { Settings } from '../settings/settings.ts'
import type { ClusterPlan, NodePlan } from '../types.ts'
import { type Detail, detailsOf, type StandingNode } from './details.ts'

/** One line of the difference between a running cluster and what it is to become. */
export interface Change {
  /** `restart`: the node is started anew because of it. */
  readonly how: 'add' | 'remove' | 'change' | 'restart'
  /** `vm-001`, `net 1` */
  readonly of: string
  /** `node`, `net`, `memory`, `route default`, `impairment of eth1` */
  readonly what: string
  /** Absent: there was nothing. */
  readonly before?: string
  /** Absent: there will be nothing. */
  readonly after?: string
}

/** All that changes, and the nodes that are added, removed and started anew for it. */
export interface ClusterChange {
  readonly changes: readonly Change[]
  readonly add: readonly number[]
  readonly remove: readonly number[]
  readonly restart: readonly number[]
}

interface Standing {
  readonly plan: Pick<ClusterPlan, 'bridges'>
  readonly nodes: readonly StandingNode[]
}

interface Wanted {
  readonly plan: ClusterPlan
  readonly settings: Settings
}

/** What turns a running cluster into another plan: nets first, then nodes, each in the order of their numbers. */
export function changeOf(standing: Standing, wanted: Wanted): ClusterChange {
  const [before, after] = [standing.nodes, wanted.plan.nodes]
  const idsOf = (nodes: readonly NodePlan[]) => nodes.map(({ id }) => id)
  const old = before.map(({ plan }) => plan)
  const add = after.filter(({ id }) => !idsOf(old).includes(id))
  const remove = old.filter(({ id }) => !idsOf(after).includes(id))
  const staying = before.flatMap(node => {
    const next = after.find(({ id }) => id === node.plan.id)
    return next ? [{ node: next, details: detailsOf(node, next, wanted.settings) }] : []
  })
  const changes = [
    ...add.map(node => ({ id: node.id, lines: [added(node)] })),
    ...remove.map(({ id, name }) => ({ id, lines: [{ how: 'remove', of: name, what: 'node' } as const] })),
    ...staying.map(({ node, details }) => ({
      id: node.id,
      lines: details.map(detail => lineOf(node.name, detail)),
    })),
  ]
  const restart = staying.filter(({ details }) => details.some(({ restarts }) => restarts))
  return {
    changes: [...netChanges(standing.plan, wanted.plan), ...inOrder(changes).flatMap(({ lines }) => lines)],
    ...{ add: idsOf(add), remove: idsOf(remove), restart: idsOf(restart.map(({ node }) => node)) },
  }
}

function added({ name, memMiB, vcpus, nets }: NodePlan): Change {
  const processors = `${vcpus} ${vcpus === 1 ? 'processor' : 'processors'}`
  const after = `${memMiB} MiB, ${processors}, nets ${nets.map(({ net }) => net).join(',')}`
  return { how: 'add', of: name, what: 'node', after }
}

function lineOf(name: string, { what, before, after, restarts }: Detail): Change {
  const how = restarts ? 'restart' : 'change'
  return { how, of: name, what, ...(before !== '' && { before }), ...(after !== '' && { after }) }
}

function inOrder<T extends { readonly id: number }>(parts: readonly T[]): T[] {
  return [...parts].sort((a, b) => a.id - b.id)
}

function netChanges(
  { bridges: old }: Pick<ClusterPlan, 'bridges'>,
  { bridges: next }: ClusterPlan,
): Change[] {
  const all = [...old.bridges, ...next.bridges].map(({ net }) => net)
  const has = ({ bridges }: ClusterPlan['bridges'], net: number) => bridges.some(each => each.net === net)
  return [...new Set(all)]
    .sort((a, b) => a - b)
    .flatMap((net): Change[] => {
      const of = `net ${net}`
      if (!has(old, net)) return [{ how: 'add', of, what: 'net', after: `MTU ${mtuOf(next, net)}` }]
      if (!has(next, net)) return [{ how: 'remove', of, what: 'net' }]
      const [before, after] = [`${mtuOf(old, net)}`, `${mtuOf(next, net)}`]
      return before === after ? [] : [{ how: 'change', of, what: 'MTU', before, after }]
    })
}
