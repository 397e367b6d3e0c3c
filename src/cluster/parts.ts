import type { ClusterEvent } from '../api/index.ts'
import type { Broadcast, Places, Scope } from '../base/index.ts'
import type { Dns } from '../dns/index.ts'
import type { HostResources, NodeAdditions } from '../host/index.ts'
import type { Fabric } from '../net/index.ts'
import type { ClusterPlan, NodePlan, Settings } from '../plan/index.ts'
import type { ClusterNames } from './dns/own-names.ts'
import type { Impairments } from './network/impairments.ts'
import type { ClusterNode } from './nodes/node.ts'
import type { NodeStarter } from './nodes/starter.ts'
import type { Templates } from './nodes/templates.ts'
import type { ClusterWorld } from './world.ts'

/** What nodes are started with. */
export type Supplies = Pick<Parts, 'settings' | 'host' | 'additions'>

/** What a start passes to the running cluster once every node is ready. */
export interface Parts {
  readonly world: ClusterWorld
  readonly places: Places
  readonly plan: ClusterPlan
  settings: Settings
  host: HostResources
  readonly fabric: Fabric
  readonly impairments: Impairments
  readonly dns: Dns | undefined
  /** The names that it answers. */
  readonly names: ClusterNames
  readonly starter: NodeStarter
  readonly templates: Templates
  additions: NodeAdditions
  readonly nodes: readonly ClusterNode[]
  /** Makes a new node. */
  readonly nodeOf: (plan: NodePlan) => ClusterNode
  /** Its nodes can be frozen. */
  readonly freezable: boolean
  readonly events: Broadcast<ClusterEvent>
  readonly startedAt: string
  readonly readyMs: number
  /** Closes everything, VMs first. */
  readonly scope: Scope
}

/** Lets nodes start with these from now on. */
export function supply(parts: Parts, next: Supplies): void {
  Object.assign(parts, next)
  parts.starter.use(next)
  parts.templates.use(next)
}
