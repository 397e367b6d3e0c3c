import type { Applied } from '../api/index.ts'
import { messageOf } from '../base/index.ts'
import { updateSteps } from '../guest/index.ts'
import {
  appliedSettings,
  type ClusterChange,
  type ClusterPlan,
  changeOf,
  planCluster,
  refused,
  type Settings,
  type Topology,
} from '../plan/index.ts'
import { ClusterError } from './errors.ts'
import { refuseFreezable } from './lab/refuse.ts'
import { refuseBridging } from './network/open.ts'
import type { ClusterNode } from './nodes/node.ts'
import type { Nodes, PlanEdit } from './nodes/nodes.ts'
import { type Parts, type Supplies, supply } from './parts.ts'

/** How a topology is applied. */
export interface Applying {
  readonly dryRun: boolean
}

/** One part of the work, in words. */
interface Step {
  readonly text: string
  readonly work: () => Promise<unknown>
}

interface Wanted {
  readonly plan: ClusterPlan
  readonly settings: Settings
  readonly change: ClusterChange
}

/**
 * Turns a running cluster into what a topology says. Throws APPLY_REFUSED before anything is changed, and
 * APPLY_INCOMPLETE with what was done and what was not.
 */
export async function applyTopology(
  nodes: Nodes,
  parts: Parts,
  { topology, dryRun }: Applying & { readonly topology: Topology },
): Promise<Applied> {
  return await nodes.edit(async edit => {
    const wanted = wantedBy(topology, { nodes, parts })
    const { changes } = wanted.change
    if (dryRun) await mustBeThere(wanted, parts)
    const isDone = !dryRun && (await carryOut(stepsTo(wanted, { edit, nodes, parts }), nodes.plan.name))
    const warnings = [...(isDone ? nodes.nodes.flatMap(warningOf) : []), ...nodes.nodes.flatMap(waitOf)]
    return { v: 1, changes, applied: isDone, ...(warnings.length > 0 && { warnings }) }
  })
}

/** What is wrong with a node although it runs: its guest did not answer, and has what it had. */
function warningOf(node: ClusterNode): string[] {
  const { name, warning } = node.status()
  return warning === undefined ? [] : [`${name}: ${warning}`]
}

/** A paused guest is configured when it resumes. */
function waitOf(node: ClusterNode): string[] {
  if (node.state !== 'paused' || updateSteps(node.configured, node.plan).length === 0) return []
  return [`${node.plan.name}: it is paused, and gets its changes when it resumes`]
}

interface Running {
  readonly nodes: Nodes
  readonly parts: Parts
}

function wantedBy(topology: Topology, { nodes, parts }: Running): Wanted {
  const settings = appliedSettings(parts.settings, topology)
  const plan = planCluster(settings)
  const standing = nodes.nodes.map(node => ({
    plan: node.state === 'paused' ? node.plan : node.configured,
    settings: node.startedWith ?? parts.settings,
    state: node.state,
    impairments: parts.impairments.of(node),
  }))
  const change = changeOf({ plan: nodes.plan, nodes: standing }, { plan, settings })
  refuse({ plan, settings, change }, { nodes, parts })
  return { plan, settings, change }
}

function refuse({ plan, settings, change }: Wanted, { nodes, parts }: Running): void {
  const { fabric, freezable, impairments, world } = parts
  const { name } = nodes.plan
  if (freezable) refuseFreezable(settings)
  if (fabric.kind === 'user') refuseBridging(plan, settings)
  impairments.refuse(plan.nodes)
  if (
    (fabric.custom || settings.netns) &&
    change.changes.some(({ what, how }) => what === 'MTU' && how === 'change')
  )
    throw refused(
      name,
      'the MTU of its nets cannot change: they are not its own',
      'Stop it and start it again',
    )
  const paused = nodes.nodes.filter(({ state }) => state === 'paused').map(node => node.plan.name)
  const late = change.changes.find(({ of, what }) => paused.includes(of) && what.startsWith('impairment'))
  if (late) throw refused(name, `${late.of} is paused, and its links cannot be impaired then`, 'Resume it')
  const added = plan.nodes.filter(({ id }) => change.add.includes(id))
  const grown = plan.nodes.flatMap(node => {
    const before = nodes.nodes.find(each => each.plan.id === node.id)?.plan.memMiB ?? node.memMiB
    return node.memMiB > before ? [{ ...node, memMiB: node.memMiB - before }] : []
  })
  world.checkMemory([...added, ...grown], { clones: settings.clone === 'always' && !freezable })
}

/** The work in its order: what can fail before anything is changed comes first. */
function stepsTo(
  { plan, settings, change }: Wanted,
  { edit, nodes, parts }: Running & { readonly edit: PlanEdit },
): Step[] {
  const { changes, add, remove, restart } = change
  if (changes.length === 0) return []
  const nameOf = (id: number) => [...plan.nodes, ...nodes.plan.nodes].find(node => node.id === id)!.name
  const namesOf = (ids: readonly number[]) => ids.map(nameOf).join(', ')
  const starting = plan.nodes.filter(({ id }) => [...add, ...restart].includes(id))
  const updated = nodes.nodes.filter(({ plan: { id } }) => ![...remove, ...restart].includes(id))
  const touched = updated.map(node => node.plan.name).filter(name => changes.some(({ of }) => of === name))
  const step = (text: string, isNeeded: boolean, work: () => Promise<unknown>) =>
    isNeeded ? [{ text, work }] : []
  return [
    ...step('prepare', true, () => prepare(settings, { edit, parts, starting })),
    ...step(`add ${namesOf(add)}`, add.length > 0, () => edit.add(plan, add)),
    ...step(`update ${touched.join(', ') || 'nodes'}`, updated.length > 0, () => edit.update(updated, plan)),
    ...step(`remove ${namesOf(remove)}`, remove.length > 0, () => edit.remove(remove)),
    ...step(restart.length > 0 ? `start ${namesOf(restart)} anew` : 'change nets', true, () =>
      edit.renew(restart, plan),
    ),
    ...updated.flatMap(node => linkSteps(node, { plan, parts })),
  ]
}

/** What nodes with these settings are started with: QEMU, kernels, roots, and what is added to them. */
async function suppliesFor(settings: Settings, isStarting: boolean, parts: Parts): Promise<Supplies> {
  const { world, places, events } = parts
  const { env, searchPath } = world.environment
  const notice = (text: string) => events.send({ type: 'notice', text })
  const cacheDir = places.cache
  const host = isStarting ? await world.findHost(settings, { cacheDir, searchPath, notice }) : parts.host
  return { settings, host, additions: world.additions(settings, { env, cacheDir, notice }) }
}

/** Looks for all that nodes will be started with, and starts nothing. Throws OVERLAY_MISSING, NO_SUCH_PROGRAM and the like. */
async function mustBeThere({ plan, settings, change }: Wanted, parts: Parts): Promise<void> {
  const { add, restart, changes } = change
  if (changes.length === 0) return
  const starting = plan.nodes.filter(({ id }) => [...add, ...restart].includes(id))
  const { additions } = await suppliesFor(settings, starting.length > 0, parts)
  await additions.prepare(starting)
}

/** Finds all that nodes with other settings are started with. Nothing has changed when that fails. */
async function prepare(
  settings: Settings,
  {
    edit,
    parts,
    starting,
  }: { readonly edit: PlanEdit; readonly parts: Parts; readonly starting: ClusterPlan['nodes'] },
): Promise<void> {
  const before = { settings: parts.settings, host: parts.host, additions: parts.additions }
  supply(parts, await suppliesFor(settings, starting.length > 0, parts))
  try {
    await edit.open(starting)
  } catch (failure) {
    supply(parts, before)
    throw failure
  }
}

function linkSteps(
  node: ClusterNode,
  { plan, parts }: { readonly plan: ClusterPlan; readonly parts: Parts },
): Step[] {
  const [had, wanted] = [
    parts.impairments.of(node),
    plan.nodes.find(({ id }) => id === node.plan.id)!.impairments ?? {},
  ]
  return node.plan.nets.flatMap(({ dev }) => {
    if (JSON.stringify(had[dev]) === JSON.stringify(wanted[dev])) return []
    const work = () => parts.impairments.put(node, dev, wanted[dev] ?? {})
    return [{ text: `impair ${node.plan.name}/${dev}`, work }]
  })
}

/** True when there was something to do. Nothing has changed when the first step fails. */
async function carryOut(steps: readonly Step[], cluster: string): Promise<boolean> {
  for (const [at, { work }] of steps.entries()) {
    try {
      await work()
    } catch (failure) {
      if (at === 0) throw failure
      throw incomplete(cluster, { done: steps.slice(1, at), left: steps.slice(at), failure })
    }
  }
  return steps.length > 0
}

function incomplete(
  target: string,
  {
    done,
    left,
    failure,
  }: { readonly done: readonly Step[]; readonly left: readonly Step[]; readonly failure: unknown },
): ClusterError {
  const text = (steps: readonly Step[]) => steps.map(step => step.text).join('; ') || 'nothing'
  return new ClusterError({
    code: 'APPLY_INCOMPLETE',
    op: 'apply topology to',
    target,
    reason: `${messageOf(failure)} (done: ${text(done)}; not done: ${text(left)})`,
    remedy: 'Apply it again when the cause is gone: that does what is left',
    cause: failure,
  })
}
