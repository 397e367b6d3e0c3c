import type { ClusterEvent, ClusterState, ProgressEvent, ReachResult, Status } from '../api/index.ts'
import type { Places, Queue } from '../base/index.ts'
import type { Dns } from '../dns/index.ts'
import type { NetSetup } from '../net/index.ts'
import type { ClusterPlan } from '../plan/index.ts'
import type { Console, ExecOptions, ExecResult } from '../vm/index.ts'

/** How to start and watch a cluster. What the cluster consists of is in its settings. */
export interface StartHooks {
  /** Called at every step, and at every change of a node, from the start's first step on. Must not throw. */
  readonly onEvent?: (event: ProgressEvent) => void
  /** Aborting it before all nodes are ready cancels the start: START_CANCELLED. It has no effect later. */
  readonly signal?: AbortSignal
  /** Chooses the nodes' interfaces, in place of taps on bridges and of a `netSetup` script. */
  readonly net?: NetSetup
  /** The time limit, in milliseconds, for all nodes to be ready. Absent: 120 s for each node by itself. */
  readonly timeoutMs?: number
  /** The directories of caches and runtime files. Absent: from this process's environment (XDG). */
  readonly places?: Places
  /** The directory of the nodes' console logs. Absent: a temporary one, which is removed with the cluster. */
  readonly logs?: string
}

/**
 * A running cluster, which belongs to this process. Closing it (`await using`) removes everything: VMs, links,
 * namespace. So does the death of this process. Calls that change nodes are carried out one at a time, in order.
 * Those with a node's number throw NODE_MISSING for a node that the cluster does not have.
 */
export interface Cluster extends AsyncDisposable {
  /** The current plan. Scaling changes it. */
  readonly plan: ClusterPlan
  readonly state: ClusterState
  status(): Status
  /** All events from now on. The queue ends when the cluster does. */
  events(): Queue<ClusterEvent>
  /**
   * Runs a command on a node, a string with `/bin/sh -c`. Resolves with its exit status and outputs. Throws
   * NODE_NOT_READY for a node that is paused, has failed or was stopped, and QMP_TIMEOUT.
   */
  exec(node: number, command: readonly string[] | string, options?: ExecOptions): Promise<ExecResult>
  console(node: number): Console
  /** The cluster's DNS forwarder. Undefined with `dns: 'off'`. The cluster closes it: do not close it yourself. */
  readonly dns: Dns | undefined
  /** Pings every address that each node should reach by the topology, IPv4 and IPv6. */
  checkReach(): Promise<ReachResult[]>
  /** Stops the nodes' processors: all nodes' without an argument. A node that is paused already stays paused. */
  pause(nodes?: readonly number[]): Promise<void>
  /** Lets the processors of paused nodes run again, and sets their clocks. */
  resume(nodes?: readonly number[]): Promise<void>
  /**
   * Replaces nodes, all without an argument, by fresh ones with the same addresses, in any state: paused and failed
   * ones too. Resolves when they are ready.
   */
  reset(nodes?: readonly number[]): Promise<void>
  /**
   * Adds nodes by their numbers, and updates the routes of the others. Resolves when the new ones are ready. When one
   * of them fails, removes all that this call has added and throws. Throws NODE_EXISTS and NODE_NUMBER.
   */
  scaleOut(nodes: readonly number[]): Promise<void>
  /**
   * Removes nodes, gracefully within `graceMs` milliseconds each, and the links that only they used. The other nodes'
   * routes are updated first. Throws NO_NODES for the last node.
   */
  scaleIn(nodes: readonly number[], options?: { readonly graceMs?: number }): Promise<void>
  /**
   * Stops the nodes, gracefully within `graceMs` milliseconds each, and removes the network. A second call waits for
   * the same end.
   */
  stop(options?: { readonly graceMs?: number }): Promise<void>
}
