import { codeOf, inTurns, messageOf, Scope, Turns } from '../../base/index.ts'
import type { BridgePlan, ClusterPlan, NodePlan } from '../../plan/index.ts'
import { joinedBridges, missing, newId, scaledIn, scaledOut } from '../../plan/index.ts'
import type { SavedVm } from '../../vm/index.ts'
import { clusterStopping, firstOf } from '../errors.ts'
import { type FrozenNodes, freezeAll, holdAll } from '../lab/frozen.ts'
import type { Parts } from '../parts.ts'
import type { ClusterNode } from './node.ts'

/** The turn of changes to the plan. Those may take the turns of nodes, and not the other way round. */
const ofPlan = 'plan'

/** Changes of a plan that is edited: nothing else changes it meanwhile. After each of them the plan is what there is. */
export interface PlanEdit {
  /** Opens what nodes of these plans are started with. */
  open(plans: readonly NodePlan[]): Promise<void>
  /** Adds nodes of this plan and starts them, or none. */
  add(plan: ClusterPlan, ids: readonly number[]): Promise<void>
  /** Gives nodes that run their new plans. One whose guest refuses that is started anew by {@link renew}. */
  update(nodes: readonly ClusterNode[], plan: ClusterPlan): Promise<void>
  remove(ids: readonly number[]): Promise<void>
  /** Starts nodes anew by their new plans, and changes the nets to those of the plan. */
  renew(ids: readonly number[], plan: ClusterPlan): Promise<void>
}

/**
 * The nodes of a running cluster. Changes to one node, and changes to the plan (scale-out, scale-in), are carried out
 * one at a time, in the order of the calls. Changes to different nodes do not wait for each other: a guest that does
 * not answer holds up its own node alone.
 */
export class Nodes {
  readonly #parts: Parts
  readonly #turns = new Turns<number | typeof ofPlan>()
  readonly #ending = new AbortController()
  #plan: ClusterPlan
  #nodes: readonly ClusterNode[]

  constructor(parts: Parts) {
    this.#parts = parts
    this.#plan = parts.plan
    this.#nodes = parts.nodes
  }

  get plan(): ClusterPlan {
    return this.#plan
  }

  get nodes(): readonly ClusterNode[] {
    return this.#nodes
  }

  node(id: number): ClusterNode {
    const found = this.#nodes.find(node => node.plan.id === id)
    if (found) return found
    throw missing(this.#plan, id)
  }

  pause(ids?: readonly number[]): Promise<void> {
    return this.#change(() => this.#each('ready', ids, node => node.pause()))
  }

  resume(ids?: readonly number[]): Promise<void> {
    return this.#change(() => this.#each('paused', ids, node => node.resume()))
  }

  /** They stay nodes of the plan: nothing else changes. */
  halt(ids: readonly number[], options: { readonly graceMs?: number } = {}): Promise<void> {
    return this.#change(async () => {
      const nodes = await this.#named(ids)
      for (const node of nodes) node.release('the node is being stopped')
      await this.#turns.run(idsOf(nodes), () => all(nodes, node => node.stop(options)))
    })
  }

  /** Kills all of them before the first is started again. A node that fails does not stop the others. */
  reset(ids?: readonly number[]): Promise<void> {
    return this.#change(async () => {
      const named = await this.#named(ids)
      await this.#turns.run(idsOf(named), async () => {
        const nodes = named.filter(node => this.#nodes.includes(node) && node.state !== 'stopping')
        await Promise.all([all(nodes, node => node.clear()), this.#templates(nodes.map(({ plan }) => plan))])
        const { starter, fabric } = this.#parts
        await starter.run(nodes, { fabric, signal: this.#ending.signal, together: false })
      })
    })
  }

  scaleOut(asked: readonly number[]): Promise<void> {
    return this.#changePlan(async () => {
      const ids = asked.map(newId)
      const before = { plan: this.#plan, nodes: this.#nodes }
      const after = scaledOut(this.#parts.settings, before.plan, ids)
      const plans = after.nodes.filter(({ id }) => ids.includes(id))
      this.#parts.world.checkMemory(plans, {
        clones: this.#parts.settings.clone === 'always' && !this.#parts.freezable,
      })
      const { starter, fabric, nodeOf } = this.#parts
      await using undo = new Scope()
      await this.#templates(plans)
      await fabric.change(after.bridges)
      undo.defer(() => fabric.change(before.plan.bridges))
      const added = plans.map(nodeOf)
      this.#nodes = inOrder([...before.nodes, ...added])
      undo.defer(() => {
        this.#nodes = before.nodes
      })
      undo.defer(() => all(added, node => node.stop('at once')))
      this.#name(after)
      undo.defer(() => this.#name(before.plan))
      const { signal } = this.#ending
      await this.#turns.run(ids, () => starter.run(added, { fabric, signal, together: true }))
      undo.defer(() => this.#follow(before.nodes, before.plan))
      await this.#follow(before.nodes, after)
      this.#plan = after
      undo.move()
    })
  }

  /** Updates the remaining nodes first, so that no route leads to a node that is being removed. */
  scaleIn(ids: readonly number[], options: { readonly graceMs?: number } = {}): Promise<void> {
    return this.#changePlan(async () => {
      const after = scaledIn(this.#parts.settings, this.#plan, ids)
      const leaving = [...new Set(ids)].map(id => this.node(id))
      const staying = this.#nodes.filter(node => !leaving.includes(node))
      await this.#follow(staying, after)
      this.#name(after)
      this.#plan = after
      for (const node of leaving) node.release('the node is being removed')
      const stop = (node: ClusterNode) => node.stop(options).catch(() => node.stop('at once'))
      await this.#turns.run(idsOf(leaving), () => all(leaving, stop))
      this.#nodes = staying
      await this.#parts.fabric.change(after.bridges)
    })
  }

  /** Changes the plan in several steps, while nothing else changes it. */
  async edit<T>(work: (edit: PlanEdit) => Promise<T>): Promise<T> {
    let result!: T
    await this.#changePlan(async () => {
      const unwilling = new Set<number>()
      result = await work({
        open: plans => this.#templates(plans),
        add: (plan, ids) => this.#add(plan, ids),
        update: (nodes, plan) => this.#update(nodes, plan, unwilling),
        remove: ids => this.#remove(ids),
        renew: (ids, plan) => this.#renew([...ids, ...unwilling], plan),
      })
    })
    return result
  }

  async #add(plan: ClusterPlan, ids: readonly number[]): Promise<void> {
    const { starter, fabric, nodeOf } = this.#parts
    const [nodes, { bridges }] = [this.#nodes, this.#plan]
    const joined = joinedBridges(bridges, plan.bridges, ids)
    await using undo = new Scope()
    await fabric.change(joined)
    undo.defer(() => fabric.change(bridges))
    const added = plan.nodes.filter(({ id }) => ids.includes(id)).map(nodeOf)
    this.#nodes = inOrder([...nodes, ...added])
    undo.defer(() => {
      this.#nodes = nodes
      this.#settle(plan, bridges)
    })
    undo.defer(() => all(added, node => node.stop('at once')))
    this.#settle(plan, joined)
    const { signal } = this.#ending
    await this.#turns.run(ids, () => starter.run(added, { fabric, signal, together: true }))
    undo.move()
  }

  async #update(nodes: readonly ClusterNode[], plan: ClusterPlan, unwilling: Set<number>): Promise<void> {
    const one = async (node: ClusterNode) => {
      try {
        await this.#follow([node], plan)
      } catch (failure) {
        if (this.#ending.signal.aborted || codeOf(failure) === 'CLUSTER_STOPPING') throw failure
        const text = `${node.plan.name} is started anew: ${messageOf(failure)}`
        this.#parts.events.send({ type: 'notice', text })
        unwilling.add(node.plan.id)
      }
    }
    await all(nodes, one)
    this.#settle(plan, this.#plan.bridges)
  }

  async #remove(ids: readonly number[]): Promise<void> {
    const leaving = this.#nodes.filter(({ plan }) => ids.includes(plan.id))
    for (const node of leaving) node.release('the node is being removed')
    await this.#turns.run(ids, () => all(leaving, node => node.stop({}).catch(() => node.stop('at once'))))
    this.#nodes = this.#nodes.filter(node => !leaving.includes(node))
    this.#settle(this.#plan, this.#plan.bridges)
  }

  async #renew(ids: readonly number[], plan: ClusterPlan): Promise<void> {
    const { starter, fabric } = this.#parts
    const fresh = this.#nodes.filter(node => ids.includes(node.plan.id))
    await this.#turns.run(ids, async () => {
      await all(fresh, node => node.clear())
      for (const node of fresh) node.plan = plan.nodes.find(({ id }) => id === node.plan.id)!
      await fabric.change(plan.bridges)
      this.#settle(plan, plan.bridges)
      await starter.run(fresh, { fabric, signal: this.#ending.signal, together: false })
    })
  }

  /** The plan becomes what there is: the nodes as they are, on these bridges, and the rest of `plan`. */
  #settle(plan: ClusterPlan, bridges: BridgePlan): void {
    this.#plan = { ...plan, nodes: this.#nodes.map(node => node.plan), bridges }
    this.#name(this.#plan)
  }

  /** Saves all nodes, which are paused as good as at once, and ends them. */
  async freeze(): Promise<FrozenNodes> {
    await using unlessDone = new Scope()
    let frozen!: FrozenNodes
    await this.#changePlan(() =>
      this.#turns.run(idsOf(this.#nodes), async () => {
        await all(this.#nodes, node => node.drain())
        frozen = unlessDone.add(await freezeAll(this.#nodes))
      }),
    )
    unlessDone.move()
    return frozen
  }

  /**
   * Saves all nodes, which stand still at one moment, for `work`. They go on afterwards, unless it has succeeded and
   * `keep` is false.
   */
  async hold<T>(
    work: (held: FrozenNodes<SavedVm>, signal: AbortSignal) => Promise<T>,
    { keep }: { readonly keep: boolean },
  ): Promise<T> {
    let result!: T
    await this.#changePlan(() =>
      this.#turns.run(idsOf(this.#nodes), async () => {
        const nodes = this.#nodes
        await all(nodes, node => node.drain())
        await using goOn = new Scope()
        goOn.defer(() => all(nodes, node => node.resume()))
        await using held = await holdAll(nodes)
        result = await work(held, this.#ending.signal)
        if (!keep) goOn.move()
      }),
    )
    return result
  }

  /** Cancels the current changes and refuses further ones. Resolves when no change runs any more. */
  async end(): Promise<void> {
    this.#ending.abort()
    for (const node of this.#nodes) node.release('the cluster is being stopped')
    await this.#turns.idle()
  }

  /** Gives the DNS forwarder the names of this plan's nodes. */
  #name(plan: ClusterPlan): void {
    this.#parts.names.follow(plan)
  }

  /** Opens templates for new shapes of nodes, and for those whose last attempt failed. */
  #templates(plans: readonly NodePlan[]): Promise<void> {
    return this.#parts.templates.open(plans, this.#ending.signal)
  }

  #changePlan(work: () => Promise<void>): Promise<void> {
    return this.#change(() => this.#turns.run([ofPlan], work))
  }

  async #change(work: () => Promise<void>): Promise<void> {
    const { signal } = this.#ending
    try {
      this.#mustGoOn()
      await work()
      this.#mustGoOn()
    } catch (failure) {
      const first = firstOf(failure, text => this.#parts.events.send({ type: 'notice', text }))
      throw signal.aborted ? clusterStopping(this.#plan.name, first) : first
    }
  }

  #mustGoOn(): void {
    if (this.#ending.signal.aborted) throw clusterStopping(this.#plan.name)
  }

  /** The nodes with these ids, each once; all nodes when `ids` is undefined. One may just be being added. */
  async #named(ids: readonly number[] | undefined): Promise<readonly ClusterNode[]> {
    if (ids === undefined) return this.#nodes
    const isThere = (id: number) => this.#nodes.some(node => node.plan.id === id)
    if (!ids.every(isThere)) await this.#turns.run([ofPlan], async () => {})
    return [...new Set(ids)].map(id => this.node(id))
  }

  /**
   * Works on each node in its turn. Named nodes as they are: one in another state makes the change fail. Without names,
   * on all nodes in that state.
   */
  async #each(
    state: 'ready' | 'paused',
    ids: readonly number[] | undefined,
    work: (node: ClusterNode) => Promise<void>,
  ): Promise<void> {
    const isMeant = (node: ClusterNode) => ids !== undefined || node.state === state
    const isUp = (node: ClusterNode) => ids !== undefined || ['ready', 'paused'].includes(node.state)
    await all((await this.#named(ids)).filter(isUp), node =>
      this.#turns.run([node.plan.id], async () => {
        this.#mustGoOn()
        if (isMeant(node)) await work(node)
      }),
    )
  }

  /** Gives nodes their new plans. Guests that are ready are updated, each in its turn. */
  async #follow(nodes: readonly ClusterNode[], plan: ClusterPlan): Promise<void> {
    const plans = new Map(plan.nodes.map(node => [node.id, node]))
    for (const node of nodes) node.plan = plans.get(node.plan.id)!
    const ready = nodes.filter(({ state }) => state === 'ready')
    await all(ready, node => this.#turns.run([node.plan.id], () => node.follow()))
    this.#mustGoOn()
  }
}

function idsOf(nodes: readonly ClusterNode[]): number[] {
  return nodes.map(({ plan }) => plan.id)
}

function inOrder(nodes: readonly ClusterNode[]): ClusterNode[] {
  return [...nodes].sort((a, b) => a.plan.id - b.plan.id)
}

/** Works on all nodes side by side and waits for all; then throws the error of the first node that failed. */
function all(nodes: readonly ClusterNode[], work: (node: ClusterNode) => Promise<void>): Promise<void> {
  return inTurns(nodes, work, { goOn: true })
}
