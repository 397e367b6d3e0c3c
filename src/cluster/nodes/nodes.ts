import { inTurns, Scope, Serial } from '../../base/index.ts'
import type { ClusterPlan, NodePlan } from '../../plan/index.ts'
import { missing, newId, scaledIn, scaledOut } from '../../plan/index.ts'
import { ownNames } from '../dns/names.ts'
import { clusterStopping, firstOf } from '../errors.ts'
import type { Parts } from '../parts.ts'
import type { ClusterNode } from './node.ts'

/** The nodes of a running cluster. Changes to them are carried out one at a time, in the order of the calls. */
export class Nodes {
  readonly #parts: Parts
  readonly #serial = new Serial()
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
    return this.#inTurn(() => all(this.#inState('ready', ids), node => node.pause()))
  }

  resume(ids?: readonly number[]): Promise<void> {
    return this.#inTurn(() => all(this.#inState('paused', ids), node => node.resume()))
  }

  /** Kills all of them before the first is started again. A node that fails does not stop the others. */
  reset(ids?: readonly number[]): Promise<void> {
    return this.#inTurn(async () => {
      const nodes = this.#named(ids)
      await Promise.all([this.#templates(nodes.map(({ plan }) => plan)), all(nodes, node => node.clear())])
      const { starter, fabric } = this.#parts
      await starter.run(nodes, { fabric, signal: this.#ending.signal, together: false })
    })
  }

  scaleOut(asked: readonly number[]): Promise<void> {
    return this.#inTurn(async () => {
      const ids = asked.map(newId)
      const before = { plan: this.#plan, nodes: this.#nodes }
      const after = scaledOut(this.#parts.settings, before.plan, ids)
      const plans = after.nodes.filter(({ id }) => ids.includes(id))
      this.#parts.world.checkMemory(plans, { clones: this.#parts.settings.clone === 'always' })
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
      await starter.run(added, { fabric, signal: this.#ending.signal, together: true })
      undo.defer(() => follow(before.nodes, before.plan))
      await follow(before.nodes, after)
      this.#plan = after
      undo.move()
    })
  }

  /** Updates the remaining nodes first, so that no route leads to a node that is being removed. */
  scaleIn(ids: readonly number[], options: { readonly graceMs?: number } = {}): Promise<void> {
    return this.#inTurn(async () => {
      const after = scaledIn(this.#parts.settings, this.#plan, ids)
      const [leaving, staying] = [this.#named(ids), this.#nodes.filter(node => !ids.includes(node.plan.id))]
      await follow(staying, after)
      this.#name(after)
      this.#plan = after
      await all(leaving, node => node.stop(options).catch(() => node.stop('at once')))
      this.#nodes = staying
      await this.#parts.fabric.change(after.bridges)
    })
  }

  /** Cancels the current change and refuses further ones. Resolves when no change runs any more. */
  async end(): Promise<void> {
    this.#ending.abort()
    await this.#serial.idle()
  }

  /** Gives the DNS forwarder the names of this plan's nodes. */
  #name(plan: ClusterPlan): void {
    this.#parts.dns?.setHosts(ownNames(plan, this.#parts.settings))
  }

  /** Opens templates for new shapes of nodes, and for those whose last attempt failed. */
  #templates(plans: readonly NodePlan[]): Promise<void> {
    return this.#parts.templates.open(plans, this.#ending.signal)
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const { signal } = this.#ending
    return this.#serial.run(async () => {
      if (signal.aborted) throw clusterStopping(this.#plan.name)
      await work().catch(failure => {
        const first = firstOf(failure, text => this.#parts.events.send({ event: 'notice', text }))
        throw signal.aborted ? clusterStopping(this.#plan.name, first) : first
      })
    })
  }

  /** The nodes with these ids, each once; all nodes when `ids` is undefined. */
  #named(ids: readonly number[] | undefined): ClusterNode[] {
    return ids === undefined ? [...this.#nodes] : [...new Set(ids)].map(id => this.node(id))
  }

  /** Named nodes as they are: one in another state makes the change fail. Without names, all nodes in that state. */
  #inState(state: 'ready' | 'paused', ids: readonly number[] | undefined): ClusterNode[] {
    const named = this.#named(ids)
    return ids === undefined ? named.filter(node => node.state === state) : named
  }
}

function inOrder(nodes: readonly ClusterNode[]): ClusterNode[] {
  return [...nodes].sort((a, b) => a.plan.id - b.plan.id)
}

async function follow(nodes: readonly ClusterNode[], plan: ClusterPlan): Promise<void> {
  const plans = new Map(plan.nodes.map(node => [node.id, node]))
  await all(nodes, node => node.follow(plans.get(node.plan.id)!))
}

/** Works on all nodes side by side and waits for all; then throws the error of the first node that failed. */
function all(nodes: readonly ClusterNode[], work: (node: ClusterNode) => Promise<void>): Promise<void> {
  return inTurns(nodes, work, { goOn: true })
}
