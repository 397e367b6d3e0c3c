import type { ClusterEvent, ClusterState, ProgressEvent, ReachResult, Status } from '../api/index.ts'
import type { Places, Queue } from '../base/index.ts'
import type { Dns } from '../dns/index.ts'
import type { NetSetup } from '../net/index.ts'
import type { ClusterPlan } from '../plan/index.ts'
import type { Console, ExecOptions, ExecResult } from '../vm/index.ts'

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
