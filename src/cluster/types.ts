import type { Places, Queue } from '../base/index.ts'
import type { Dns } from '../dns/index.ts'
import type { NetSetup, UplinkStatus } from '../net/index.ts'
import type { ClusterPlan, FabricKind, NodeNet, Role } from '../plan/index.ts'
import type { Console, ExecOptions, ExecResult } from '../vm/index.ts'

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

/** How a cluster is started and watched; what it is like is told by its settings. */
export interface StartHooks {
  /** Told of every step and every node, from the first step on; must not throw. */
  readonly onEvent?: (event: ProgressEvent) => void
  /** Aborting before all is ready takes back what was started. */
  readonly signal?: AbortSignal
  /** Says what nodes' interfaces are, instead of the usual taps on bridges; and instead of a `netSetup` script. */
  readonly net?: NetSetup
  /** For all nodes to be ready. Absent: each may take its 120 s, however many there are. */
  readonly timeoutMs?: number
  /** Where caches are; absent: as this process's environment says. */
  readonly places?: Places
  /** Keeps the nodes' console files; absent: a temporary directory that goes away with the cluster. */
  readonly logs?: string
}

/**
 * A running cluster, held by this process. Closing it (`await using`), or this process's death, takes
 * everything away: VMs, links, namespace. What changes nodes is done one after the other, in the order asked for.
 */
export interface Cluster extends AsyncDisposable {
  /** As it is now: scaling changes it. */
  readonly plan: ClusterPlan
  readonly state: ClusterState
  status(): Status
  /** Everything that happens from now on; ends with the cluster. */
  events(): Queue<ClusterEvent>
  /** Runs a command on a node; a string is run by `/bin/sh -c`. */
  exec(node: number, command: readonly string[] | string, options?: ExecOptions): Promise<ExecResult>
  console(node: number): Console
  /** Its forwarder; undefined where the settings want none. It is the cluster's: do not close it. */
  readonly dns: Dns | undefined
  /** Tries every pair of nodes that the topology connects, both families. */
  checkReach(): Promise<ReachResult[]>
  /** Stops nodes in the middle of what they do; all of them when none are named. Those that are paused stay so. */
  pause(nodes?: readonly number[]): Promise<void>
  /** Lets paused nodes go on, with their clocks set right. */
  resume(nodes?: readonly number[]): Promise<void>
  /**
   * Replaces nodes by fresh ones, in the same place of the network: also those that are paused or have failed.
   * Resolves when they are ready.
   */
  reset(nodes?: readonly number[]): Promise<void>
  /**
   * Adds nodes, by their numbers, and tells the others what that means for them. Resolves when they are ready;
   * when one of them fails, all that came with this call is taken back.
   */
  scaleOut(nodes: readonly number[]): Promise<void>
  /** Ends nodes and takes away what only they needed of the network; the others' routes follow. */
  scaleIn(nodes: readonly number[], options?: { readonly graceMs?: number }): Promise<void>
  /** Ends the nodes (gracefully, within `graceMs` each) and the network. Calling it again waits for the same end. */
  stop(options?: { readonly graceMs?: number }): Promise<void>
}
