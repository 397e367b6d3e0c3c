import type { Role } from '../base/index.ts'
import type { FabricKind, NodeNet, Pair } from '../plan/index.ts'

/**
 * The states of a node: `waiting` (for its turn) → `starting` (QEMU) → `booting` (its kernel; a clone resumes) →
 * `configuring` (its identity: addresses, routes) → `ready` ⇄ `paused` → `stopping` → `stopped`. Each of them can
 * lead to `failed`. A reset leads from `ready`, `paused` and `failed` back to `waiting`.
 */
export type NodeState =
  | 'waiting'
  | 'starting'
  | 'booting'
  | 'configuring'
  | 'ready'
  | 'paused'
  | 'stopping'
  | 'stopped'
  | 'failed'

/**
 * The milestones of a node, in this order: QEMU exists, its monitor answers, the kernel's first line, init's first
 * line, its agent's port is open, it has its identity, it is ready. A clone has neither `kernel` nor `init`.
 */
export type NodeMilestone = 'spawned' | 'qmp' | 'kernel' | 'init' | 'agent' | 'identity' | 'ready'

export type ClusterState = 'starting' | 'ready' | 'stopping' | 'stopped'

export interface NodeStatus {
  readonly id: number
  readonly name: string
  readonly role: Role
  readonly state: NodeState
  /** Why it failed. */
  readonly reason?: string
  /** QEMU's process, while there is one. */
  readonly pid?: number
  /** Milliseconds from the start of its QEMU to `ready`. */
  readonly bootMs?: number
  /** Milliseconds from the start of its latest QEMU to each milestone that it has passed. */
  readonly milestones: Readonly<Partial<Record<NodeMilestone, number>>>
  /** The file with the output of its console. */
  readonly console: string
  readonly nets: readonly NodeNet[]
}

/** A sysctl of a namespace that has been changed. */
export interface ChangedSysctl {
  /** `net/ipv4/ip_forward` */
  readonly name: string
  readonly before: string
}

/** Everything that an uplink changes outside the cluster's namespace. */
export interface UplinkStatus {
  /** `xcluster<i>`, one end of the veth pair. Its addresses are `outside`; those of the other end are `inside`. */
  readonly link: string
  readonly outside: Pair
  readonly inside: Pair
  /** `inet xcluster_<name>` */
  readonly table: string
  /** Restored when the last uplink is removed. */
  readonly sysctls: readonly ChangedSysctl[]
}

/** What `xc status --json` prints. */
export interface Status {
  readonly v: 1
  readonly name: string
  readonly topology: string
  readonly state: ClusterState
  /** Absent until the network exists. */
  readonly fabric?: FabricKind
  /** The cluster's network namespace, a path for `nsenter --net=<path>`. */
  readonly netns: string
  /** Rootless: the user namespace that owns it, for `nsenter --user=<path> --net=… --preserve-credentials`. */
  readonly userns?: string
  /** The uplink, and what it has changed outside. Absent without one. */
  readonly uplink?: UplinkStatus
  /** Where its DNS forwarder answers, in its namespace if it has one. Absent while starting, and with `dns` off. */
  readonly dns?: { readonly address: string; readonly port: number }
  readonly owner: { readonly pid: number }
  readonly accel: string
  /** Version of the guests' kernel. */
  readonly kernel: string
  /** ISO 8601, UTC. */
  readonly startedAt: string
  /** Milliseconds from the call to start until every node was ready. */
  readonly readyMs?: number
  readonly nodes: readonly NodeStatus[]
}

/** `template` occurs only when one is built, before `vms` ends. */
export type StepName = 'image' | 'network' | 'template' | 'vms' | 'configure'

/** The events of a cluster. */
export type ClusterEvent =
  | { readonly event: 'notice'; readonly text: string }
  | {
      readonly event: 'step'
      readonly step: StepName
      readonly state: 'begin' | 'end'
      readonly text: string
    }
  /** `ms` counts from the start of the node's QEMU. */
  | {
      readonly event: 'node'
      readonly id: number
      readonly name: string
      readonly state: NodeState
      readonly ms: number
      readonly reason?: string
    }
  /** `ms` as above, to a tenth. */
  | {
      readonly event: 'milestone'
      readonly id: number
      readonly name: string
      readonly milestone: NodeMilestone
      readonly ms: number
    }
  | { readonly event: 'cluster'; readonly state: ClusterState }

/** The same without the states of the cluster: the caller causes those and knows them. */
export type ProgressEvent = Exclude<ClusterEvent, { readonly event: 'cluster' }>

/** The result of one ping of `checkReach`. */
export interface ReachResult {
  readonly from: string
  readonly to: string
  readonly address: string
  readonly family: 'ipv4' | 'ipv6'
  readonly ok: boolean
}

/** Which nodes reach which: what `xc check --json` prints. */
export interface ReachReport {
  readonly v: 1
  /** Every pair is `ok`. */
  readonly ok: boolean
  readonly pairs: readonly ReachResult[]
}

/** The answer of `stop`, when all of the cluster has been removed. */
export interface Stopped {
  readonly v: 1
  /** It ends right after. */
  readonly owner: { readonly pid: number }
}
