import { idsOf, nodeName, type Role, roleOf, settingText } from '../base/index.ts'
import { hostAddresses } from './addressing.ts'
import { PlanError } from './errors.ts'
import { requirePossible } from './limits.ts'
import { planBridges } from './network/bridges.ts'
import { planUserSpace } from './network/user-limits.ts'
import { addressed, impairedBy, setupOf } from './node.ts'
import { mtusOf, settingFor, settingsFor } from './settings/narrow.ts'
import type { Settings } from './settings/settings.ts'
import { topologyOf } from './topology/named/index.ts'
import { type Count, contains, type SetupRule, type Topology } from './topology/topology.ts'
import type { ClusterPlan, NodePlan, Wired } from './types.ts'

/**
 * Computes everything about a cluster that its settings decide. It has no effects, so the result can be
 * printed and compared.
 */
export function planCluster(settings: Settings): ClusterPlan {
  return planNodes(settings, nodeIds(settings, topologyOf(settings.topology)))
}

/** The plan for exactly these nodes. It ignores the counts in the settings. */
export function planNodes(settings: Settings, ids: readonly number[]): ClusterPlan {
  const topology = topologyOf(settings.topology)
  const wired = ids.map(id => ({ id, nets: netsOf(id, settings, topology) }))
  const { mtu, prefix, name } = settings
  const mtus = mtusOf(settings)
  const host = hostAddresses(prefix, settings.hostNets)
  const bridges = planBridges({ mtu, ...(Object.keys(mtus).length > 0 && { mtus }), nodes: wired, host })
  return {
    v: 1,
    name,
    topology: topology.name,
    mtu,
    prefix,
    nodes: wired.map(node => possible(planNode(node, wired, settings), settings)),
    bridges,
    ...(settings.fabric === 'user' && { userSpace: planUserSpace(bridges, settings) }),
  }
}

function planNode(node: Wired, all: readonly Wired[], settings: Settings): NodePlan {
  const topology = topologyOf(settings.topology)
  const rule = topology.setup.find(({ of }) => contains(of, node.id)) ?? { of: node.id }
  const impairments = impairedBy(node, topology.links)
  return {
    id: node.id,
    name: nodeName(node.id),
    role: roleOf(node.id)!,
    memMiB: settingFor(settings, 'mem', node.id),
    vcpus: settingFor(settings, 'smp', node.id),
    append: commandLine(node, settings),
    nets: addressed(node, rule, settings),
    setup: setupOf(node, ruleFor(rule, settings), { all, prefix: settings.prefix }),
    ...(Object.keys(impairments).length > 0 && { impairments }),
  }
}

/** What the topology says of a node, less what the settings turn off. */
function ruleFor(rule: SetupRule, settings: Settings): SetupRule {
  return settings.disableMasquerade === 'yes' ? { ...rule, masquerade: [] } : rule
}

function possible(node: NodePlan, settings: Settings): NodePlan {
  requirePossible(node, { added: appendedTo(node.id, settings), clones: settings.clone === 'always' })
  return node
}

/** What the user adds to a node's kernel command line: parameters, and the word for init to begin that of the root. */
export function appendedTo(id: number, settings: Settings): string {
  const own = settingFor(settings, 'init', id) === 'system' ? 'root_init=1' : ''
  return [own, ...settingsFor(settings, 'append', id)].filter(Boolean).join(' ')
}

/** The kernel parameters that configure the guest before it runs anything: the base image reads them. */
function commandLine({ id, nets }: Wired, settings: Settings): string {
  const all = nets.map(net => ({ net, mtu: settings[`mtu${net}`] ?? settings.mtu }))
  const mtus = all.filter(({ mtu }) => mtu !== 1500).map(({ net, mtu }) => `mtu${net}=${mtu}`)
  const prefix = settings.prefix === 'fd00:' ? '' : `xcluster_PREFIX=${settings.prefix}`
  return [...mtus, prefix, appendedTo(id, settings)].filter(Boolean).join(' ')
}

function nodeIds(settings: Settings, topology: Topology): number[] {
  const vms = new Set([...idsOf('vm', settings.nvm), ...(topology.more ?? [])])
  const routers = idsOf('router', countOf(settings.nrouters, topology, 'routers'))
  const testers = idsOf('tester', countOf(settings.ntesters, topology, 'testers'))
  const ids = [...[...vms].sort((a, b) => a - b), ...routers, ...testers]
  if (ids.length > 0) return ids
  throw noNodes(settings.name, `Give ${settingText('nvm')} 1 or more`)
}

export function noNodes(target: string, remedy: string): PlanError {
  const reason = 'the cluster would have no nodes'
  return new PlanError({ code: 'NO_NODES', kind: 'usage', op: 'plan cluster', target, reason, remedy })
}

function countOf(asked: number | undefined, topology: Topology, what: 'routers' | 'testers'): number {
  const { usual } = topology[what] satisfies Count
  const count = asked ?? usual
  mustSuffice(count, topology, what)
  return count
}

/** Throws TOPOLOGY_COUNT when the topology needs more routers, or testers, than `count`. */
export function mustSuffice(count: number, topology: Topology, what: 'routers' | 'testers'): void {
  const { atLeast = 0 } = topology[what] satisfies Count
  if (count >= atLeast) return
  throw new PlanError({
    code: 'TOPOLOGY_COUNT',
    kind: 'usage',
    reason: `topology ${topology.name} needs at least ${atLeast} ${what}, and this cluster would have ${count}`,
    remedy: `Give ${settingText(`n${what}`)} ${atLeast}, or omit it`,
  })
}

const netSettings = { vm: 'netsVm', router: 'netsRouter', tester: 'netsTester' } as const satisfies Record<
  Role,
  string
>

/**
 * The nets of a node. The first of these that exists counts: the node's own setting, the topology's entry for
 * it, its role's setting, its role's entry in the topology.
 */
function netsOf(id: number, settings: Settings, topology: Topology): readonly number[] {
  const role = roleOf(id)!
  const said = topology.nets.filter(({ of }) => contains(of, id))
  const special = said.findLast(({ of }) => of !== role)
  return settings[`nets${id}`] ?? special?.nets ?? settings[netSettings[role]] ?? said[0]!.nets
}
