import type { Role } from '../base/index.ts'
import type { FabricKind, NodeNet, Pair } from '../plan/index.ts'

/**
 * A node's life: `waiting` (for its turn) → `starting` (QEMU) → `booting` (its kernel; a clone wakes up) →
 * `configuring` (who it is: addresses, routes) → `ready` ⇄ `paused` → `stopping` → `stopped`; `failed` from any
 * of them. A reset leads from `ready`, `paused` and `failed` back to `waiting`.
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
 * What a node passes, in this order: QEMU exists, its monitor answers, the kernel's first line, init's first line,
 * its agent's port is open, it has been told who it is, it is ready. A clone has neither `kernel` nor `init`.
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
  /** From the start of its QEMU to ready. */
  readonly bootMs?: number
  /** Milliseconds from the start of its QEMU, the last one, to each thing passed. */
  readonly milestones: Readonly<Partial<Record<NodeMilestone, number>>>
  /** The file with all that its console said. */
  readonly console: string
  readonly nets: readonly NodeNet[]
}

/** Setting of a namespace that is not as it was. */
export interface ChangedSysctl {
  /** `net/ipv4/ip_forward` */
  readonly name: string
  readonly before: string
}

/** All that an uplink changes outside. */
export interface UplinkStatus {
  /** `xcluster<i>`, and its addresses; the other end's are `inside`, each with a route to it. */
  readonly link: string
  readonly outside: Pair
  readonly inside: Pair
  /** `inet xcluster_<name>` */
  readonly table: string
  /** Put back when the last uplink goes. */
  readonly sysctls: readonly ChangedSysctl[]
}

/** What `xc status --json` prints. */
export interface Status {
  readonly v: 1
  readonly name: string
  readonly topology: string
  readonly state: ClusterState
  /** What its network is made of; absent while it is not there yet. */
  readonly fabric?: FabricKind
  /** The cluster's network namespace, a path for `nsenter --net=<path>`. */
  readonly netns: string
  /** The user namespace around it, of a user who is not root: `nsenter --user=<path> --net=… --preserve-credentials`. */
  readonly userns?: string
  /** What its way out has changed outside; absent where it has none. */
  readonly uplink?: UplinkStatus
  /** Where its forwarder answers: in its namespace, where it has one. Absent while starting, and with `dns` off. */
  readonly dns?: { readonly address: string; readonly port: number }
  readonly owner: { readonly pid: number }
  readonly accel: string
  /** Version of the guests' kernel. */
  readonly kernel: string
  /** ISO 8601, UTC. */
  readonly startedAt: string
  /** From the call to start to every node ready. */
  readonly readyMs?: number
  readonly nodes: readonly NodeStatus[]
}

/** `template` comes only when one is being made, before `vms` ends. */
export type StepName = 'image' | 'network' | 'template' | 'vms' | 'configure'

/** What happens in a cluster, as it happens. */
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
  /** `ms` as above, with a tenth. */
  | {
      readonly event: 'milestone'
      readonly id: number
      readonly name: string
      readonly milestone: NodeMilestone
      readonly ms: number
    }
  | { readonly event: 'cluster'; readonly state: ClusterState }

/** The same without the cluster's own states, which are its caller's doing. */
export type ProgressEvent = Exclude<ClusterEvent, { readonly event: 'cluster' }>

/** One thing that `checkReach` tried. */
export interface ReachResult {
  readonly from: string
  readonly to: string
  readonly address: string
  readonly family: 'ipv4' | 'ipv6'
  readonly ok: boolean
}

/** Who reaches whom: what `xc check --json` prints. */
export interface ReachReport {
  readonly v: 1
  /** All pairs did. */
  readonly ok: boolean
  readonly pairs: readonly ReachResult[]
}

/** What `stop` answers when all of the cluster is gone. */
export interface Stopped {
  readonly v: 1
  /** It ends right after. */
  readonly owner: { readonly pid: number }
}
