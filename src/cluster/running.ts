import type { ClusterEvent, ClusterState, ReachResult, Status } from '../api/index.ts'
import type { Queue } from '../base/index.ts'
import { inTurns, nodeName } from '../base/index.ts'
import type { Dns } from '../dns/index.ts'
import { reachScript, readReach } from '../guest/index.ts'
import type { Fabric } from '../net/index.ts'
import type { ClusterPlan } from '../plan/index.ts'
import { reachTargets } from '../plan/index.ts'
import type { Console, ExecOptions, ExecResult } from '../vm/index.ts'
import type { ClusterNode } from './nodes/node.ts'
import { Nodes } from './nodes/nodes.ts'
import type { Parts } from './parts.ts'
import type { Cluster } from './types.ts'

/** How many nodes ping at the same time: on two processors, more of them only lose each other's packets. */
const pingingAtOnce = 4

/** A cluster after its start: `ready → stopping → stopped`. When one node fails, the others continue. */
export class RunningCluster implements Cluster {
  readonly #parts: Parts
  readonly #nodes: Nodes
  #state: ClusterState = 'ready'
  #stopping: Promise<void> | undefined

  constructor(parts: Parts) {
    this.#parts = parts
    this.#nodes = new Nodes(parts)
  }

  get plan(): ClusterPlan {
    return this.#nodes.plan
  }

  get state(): ClusterState {
    return this.#state
  }

  get dns(): Dns | undefined {
    return this.#parts.dns
  }

  status(): Status {
    const { host, fabric, dns, startedAt, readyMs } = this.#parts
    const { plan, nodes } = this.#nodes
    return {
      v: 1,
      name: plan.name,
      topology: plan.topology,
      state: this.#state,
      fabric: fabric.kind,
      ...placeOf(this.#state === 'stopped' ? undefined : fabric),
      ...(dns && this.#state !== 'stopped' && { dns: { address: dns.address, port: dns.port } }),
      owner: { pid: process.pid },
      accel: host.accel.kind,
      kernel: host.image.kernelVersion,
      startedAt,
      readyMs,
      nodes: nodes.map(node => node.status()),
    }
  }

  events(): Queue<ClusterEvent> {
    return this.#parts.events.listen()
  }

  async exec(id: number, command: readonly string[] | string, options?: ExecOptions): Promise<ExecResult> {
    return await this.#nodes.node(id).exec(command, options)
  }

  console(id: number): Console {
    return this.#nodes.node(id).console
  }

  async checkReach(): Promise<ReachResult[]> {
    const targets = reachTargets(this.plan, this.#parts.fabric.kind)
    const { nodes } = this.#nodes
    const results = new Map<ClusterNode, ReachResult[]>()
    await inTurns(
      nodes,
      async node => {
        const own = targets.filter(({ from }) => from === node.plan.id)
        const output =
          own.length > 0
            ? await pingAll(
                node,
                own.map(({ address }) => address),
              )
            : ''
        results.set(node, readReach(own, output, nodeName))
      },
      { limit: pingingAtOnce },
    )
    return nodes.flatMap(node => results.get(node)!)
  }

  pause(ids?: readonly number[]): Promise<void> {
    return this.#nodes.pause(ids)
  }

  resume(ids?: readonly number[]): Promise<void> {
    return this.#nodes.resume(ids)
  }

  reset(ids?: readonly number[]): Promise<void> {
    return this.#nodes.reset(ids)
  }

  scaleOut(ids: readonly number[]): Promise<void> {
    return this.#nodes.scaleOut(ids)
  }

  scaleIn(ids: readonly number[], options?: { readonly graceMs?: number }): Promise<void> {
    return this.#nodes.scaleIn(ids, options)
  }

  stop(options: { readonly graceMs?: number } = {}): Promise<void> {
    this.#stopping ??= this.#stop(options)
    return this.#stopping
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #stop(options: { readonly graceMs?: number }): Promise<void> {
    const { scope, events } = this.#parts
    this.#enter('stopping')
    try {
      await this.#nodes.end()
      const stopping = this.#nodes.nodes.map(node => node.stop(options).catch(() => node.stop('at once')))
      await Promise.all(stopping).finally(() => scope.close())
    } finally {
      this.#enter('stopped')
      events.end()
    }
  }

  #enter(state: ClusterState): void {
    this.#state = state
    this.#parts.events.send({ event: 'cluster', state })
  }
}

/** The paths of its namespaces, for nsenter(1), and its uplink. */
function placeOf(fabric: Fabric | undefined): Pick<Status, 'netns' | 'userns' | 'uplink'> {
  const { path = '', userPath } = fabric?.namespace ?? {}
  const { uplink } = fabric ?? {}
  return { netns: path, ...(userPath !== undefined && { userns: userPath }), ...(uplink && { uplink }) }
}

/** The output of the node's ping script. Empty for a node that has failed or fails now: it reaches no address. */
async function pingAll(node: ClusterNode, addresses: readonly string[]): Promise<string> {
  try {
    const { stdout } = await node.exec(['/bin/sh'], {
      input: reachScript(addresses),
      timeoutMs: 120_000,
    })
    return new TextDecoder().decode(stdout)
  } catch {
    return ''
  }
}
