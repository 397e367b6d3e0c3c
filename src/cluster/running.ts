import type { Broadcast, Queue, Scope } from '../base/index.ts'
import type { Fabric } from '../net/index.ts'
import type { Console, ExecOptions, ExecResult } from '../vm/index.ts'
import { ClusterError } from './errors.ts'
import type { Ground } from './ground.ts'
import type { ClusterNode } from './node.ts'
import type { ClusterPlan } from './plan-types.ts'
import { reachTargets } from './reach.ts'
import { reachScript, readReach } from './reach-script.ts'
import { nodeName } from './roles.ts'
import { inTurns } from './turns.ts'
import type { Cluster, ClusterEvent, ClusterState, ReachResult, Status } from './types.ts'

/** What a start hands over once every node is ready. */
export interface Parts {
  readonly plan: ClusterPlan
  readonly ground: Ground
  readonly fabric: Fabric
  readonly nodes: readonly ClusterNode[]
  readonly events: Broadcast<ClusterEvent>
  readonly startedAt: string
  readonly readyMs: number
  /** Closes everything, VMs first. */
  readonly scope: Scope
}

/** How many nodes try at a time whom they reach: on two processors more only lose each other's packets. */
const tryingAtOnce = 4

/** A cluster whose nodes were all ready: `ready → stopping → stopped`. One of them may fail; the rest goes on. */
export class RunningCluster implements Cluster {
  readonly #parts: Parts
  #state: ClusterState = 'ready'
  #stopping: Promise<void> | undefined

  constructor(parts: Parts) {
    this.#parts = parts
  }

  get plan(): ClusterPlan {
    return this.#parts.plan
  }

  get state(): ClusterState {
    return this.#state
  }

  status(): Status {
    const { plan, ground, fabric, nodes, startedAt, readyMs } = this.#parts
    return {
      v: 1,
      name: plan.name,
      topology: plan.topology,
      state: this.#state,
      netns: this.#state === 'stopped' ? '' : fabric.namespace.path,
      owner: { pid: process.pid },
      accel: ground.accel.kind,
      kernel: ground.image.kernelVersion,
      startedAt,
      readyMs,
      nodes: nodes.map(node => node.status()),
    }
  }

  events(): Queue<ClusterEvent> {
    return this.#parts.events.listen()
  }

  async exec(id: number, command: readonly string[] | string, options?: ExecOptions): Promise<ExecResult> {
    return await this.#node(id).machine.exec(command, options)
  }

  console(id: number): Console {
    return this.#node(id).machine.console
  }

  async checkReach(): Promise<ReachResult[]> {
    const targets = reachTargets(this.plan)
    const results = new Map<ClusterNode, ReachResult[]>()
    await inTurns(
      this.#parts.nodes,
      async node => {
        const own = targets.filter(({ from }) => from === node.plan.id)
        const said =
          own.length > 0
            ? await tryAll(
                node,
                own.map(({ address }) => address),
              )
            : ''
        results.set(node, readReach(own, said, nodeName))
      },
      { limit: tryingAtOnce },
    )
    return this.#parts.nodes.flatMap(node => results.get(node)!)
  }

  stop(options: { readonly graceMs?: number } = {}): Promise<void> {
    this.#stopping ??= this.#stop(options)
    return this.#stopping
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #stop(options: { readonly graceMs?: number }): Promise<void> {
    const { nodes, scope, events } = this.#parts
    this.#enter('stopping')
    try {
      // One that does not stop is killed with the rest.
      await Promise.allSettled(nodes.map(node => node.stop(options)))
      await scope.close()
    } finally {
      this.#enter('stopped')
      events.end()
    }
  }

  #enter(state: ClusterState): void {
    this.#state = state
    this.#parts.events.send({ event: 'cluster', state })
  }

  #node(id: number): ClusterNode {
    const { nodes, plan } = this.#parts
    const found = nodes.find(node => node.plan.id === id)
    if (found) return found
    throw new ClusterError({
      code: 'NODE_MISSING',
      kind: 'missing',
      reason: `cluster '${plan.name}' has no node ${id}`,
      remedy: `It has ${nodes.map(node => node.plan.id).join(', ')}`,
    })
  }
}

/** What the node's script says; a node that has failed, or fails now, reaches nobody. */
async function tryAll(node: ClusterNode, addresses: readonly string[]): Promise<string> {
  try {
    const { stdout } = await node.machine.exec(['/bin/sh'], {
      input: reachScript(addresses),
      timeoutMs: 120_000,
    })
    return new TextDecoder().decode(stdout)
  } catch {
    return ''
  }
}
