import type { ClusterEvent, NodeMilestone, NodeStatus, Status } from '../api/index.ts'
import type { ClusterPlan } from '../plan/index.ts'

type NodeEvent = Extract<ClusterEvent, { type: 'node' }>

/** The status of a cluster that is starting, derived from its events. */
export class StartingStatus {
  readonly #plan: ClusterPlan
  readonly #startedAt = new Date().toISOString()
  readonly #nodes = new Map<number, NodeEvent>()
  readonly #milestones = new Map<number, Partial<Record<NodeMilestone, number>>>()

  constructor(plan: ClusterPlan) {
    this.#plan = plan
  }

  hear(event: ClusterEvent): void {
    if (event.type === 'node') {
      this.#nodes.set(event.id, event)
      // A clone that could not resume is booted instead, and passes its milestones again.
      if (event.state === 'starting') this.#milestones.delete(event.id)
    } else if (event.type === 'milestone') {
      const { id, milestone, ms } = event
      this.#milestones.set(id, { ...this.#milestones.get(id), [milestone]: ms })
    }
  }

  status(): Status {
    const { name, topology, nodes } = this.#plan
    return {
      ...{ v: 1, name, topology, state: 'starting', netns: '', owner: { pid: process.pid } },
      ...{ accel: '', kernel: '', startedAt: this.#startedAt },
      nodes: nodes.map(node => this.#node(node)),
    }
  }

  #node({ id, name, role, nets }: ClusterPlan['nodes'][number]): NodeStatus {
    const { state = 'waiting' as const, reason } = this.#nodes.get(id) ?? {}
    const milestones = this.#milestones.get(id) ?? {}
    const failed = reason === undefined ? {} : { reason }
    return { id, name, role, state, ...failed, milestones, console: '', nets }
  }
}
