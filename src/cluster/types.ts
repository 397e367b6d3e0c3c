import type { Writable } from 'node:stream'
import type {
  Applied,
  ClusterEvent,
  ClusterState,
  Counters,
  ImpairedLink,
  ProgressEvent,
  ReachResult,
  Status,
} from '../api/index.ts'
import type { Places, Port, Queue } from '../base/index.ts'
import type { Dns } from '../dns/index.ts'
import type { Copied, CopyOptions, PutOptions, PutSource } from '../files/index.ts'
import type { CommandOptions, CommandText } from '../guest/index.ts'
import type { Capture, NetSetup, Packet, PacketWanted, Recording } from '../net/index.ts'
import type { ClusterPlan, Topology } from '../plan/index.ts'
import type { CommandResult, CommandSpec, RunningCommand } from '../stream/index.ts'
import type { Console } from '../vm/index.ts'
import type { EventOptions } from './counted-events.ts'
import type { ClusterFaults } from './dns/faults.ts'
import type { ClusterNames } from './dns/own-names.ts'
import type { CaptureSpec, PacketOptions } from './network/captures.ts'
import type { LinkImpairment } from './network/impairments.ts'
import type { Verified } from './verify.ts'

export type { NewDnsFault } from './dns/faults.ts'
export type { NewName } from './dns/own-names.ts'
export type { Verified } from './verify.ts'

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
  /** Its nodes can be frozen ({@link Cluster.save}): each has all of its memory to itself, also as a clone. */
  readonly freezable?: boolean
  /** The directory of the nodes' console logs. Absent: a temporary one, which is removed with the cluster. */
  readonly logs?: string
}

/** How a command of `spawn` runs. */
export interface SpawnOptions extends Pick<CommandSpec, 'env' | 'terminal'> {
  /** Aborts the start, and later leaves the command to itself: EXEC_ABORTED. */
  readonly signal?: AbortSignal
}

/** Where a copy from a node goes: a path of this machine, or a stream for the content of one file. */
export type GetTarget = string | Writable

/** How a cluster is saved. */
export interface SaveOptions {
  /** It goes on. Absent: it ends once it has been saved. */
  readonly keep?: boolean
}

/** What was saved. */
export interface SavedSnapshot {
  readonly name: string
  /** How many nodes it has. */
  readonly nodes: number
  /** The length of its files. */
  readonly bytes: number
  /** Milliseconds between the first and the last node that stood still. */
  readonly spreadMs: number
}

/** How long a verification waits. */
export interface VerifyOptions extends WaitOptions {
  /** Differences may take so many milliseconds to go away, as where routes are still being learnt. Absent: 3000. */
  readonly withinMs?: number
}

/** How a topology is applied. */
export interface ApplyOptions extends WaitOptions {
  /** Nothing changes: the result has what would. */
  readonly dryRun?: boolean
}

export interface WaitOptions {
  /** Ends the wait with WAIT_ABORTED. What has begun continues: a node that is being added is added. */
  readonly signal?: AbortSignal
}

/**
 * A running cluster, which belongs to this process. Closing it (`await using`) removes everything: VMs, links,
 * namespace. So does the death of this process. Calls that change a node are carried out one at a time, in order, and
 * so are those that change the plan (`scaleOut`, `scaleIn`).
 * Those with a node's number throw NODE_MISSING for a node that the cluster does not have.
 */
export interface Cluster extends AsyncDisposable {
  /** The current plan. Scaling changes it. */
  readonly plan: ClusterPlan
  readonly state: ClusterState
  status(): Status
  /**
   * All events from now on. The queue ends when the cluster does. With `countersMs` also the packets, bytes, drops and
   * rates of links and nets, each time that so many milliseconds have passed.
   *
   * ```ts
   * for await (const event of cluster.events({ countersMs: 1000 })) if (event.type === 'counters') show(event.nets)
   * ```
   */
  events(options?: EventOptions): Queue<ClusterEvent>
  /**
   * Runs a command on a node, a string with `/bin/sh -c`. Resolves with its exit status and outputs. Throws
   * NODE_NOT_READY for a node that is paused, has failed or was stopped, and EXEC_TIMEOUT, EXEC_NOT_STARTED,
   * EXEC_INPUT_LIMIT and EXEC_OUTPUT_LIMIT; with `check`, EXEC_FAILED. Without `timeoutMs` the command may take any time.
   */
  exec(
    node: number,
    command: readonly string[] | string,
    options: CommandOptions & { readonly encoding: 'utf8' },
  ): Promise<CommandText>
  exec(
    node: number,
    command: readonly string[] | string,
    options?: CommandOptions & { readonly encoding?: undefined },
  ): Promise<CommandResult>
  /**
   * Runs a command on a node, a string with `/bin/sh -c`, with its input and outputs as streams. Resolves when it has
   * started. Throws as `exec` does, and EXEC_TOO_MANY, EXEC_NO_CHANNEL and EXEC_LOST. Closing it kills the command.
   */
  spawn(node: number, command: readonly string[] | string, options?: SpawnOptions): Promise<RunningCommand>
  /**
   * Copies to a node: a path of this machine (a directory with all that is in it), content, or a list of either. They are
   * written beside `path` and renamed when all have come, so a failure leaves what was there. `path` is the new name, or,
   * when it ends with a slash, the directory for it. Throws FILE_SOURCE and PUT_FAILED, and what `spawn` throws.
   */
  put(
    node: number,
    source: PutSource | readonly string[],
    path: string | (PutOptions & { readonly path: string }),
  ): Promise<Copied>
  /**
   * Copies from a node to a path of this machine, in the same way, or writes one file to a stream, which it does not end.
   * Several paths go into a directory: `target` then ends with a slash. Throws FILE_TARGET, FILE_UNSAFE, GET_FAILED, and what `spawn` throws.
   */
  get(
    node: number,
    path: string | readonly string[],
    target: GetTarget | (CopyOptions & { readonly target: GetTarget }),
  ): Promise<Copied>
  /** The content of one file of a node, at most 32 MiB. */
  get(node: number, path: string): Promise<Buffer>
  /**
   * Runs the command that a client asks for over a connection of its own, in the frames of docs/guest-channel.md. That
   * is what an owner does for `xc exec`.
   */
  relayCommand(node: number, client: Port): void
  console(node: number): Console
  /** Frames and bytes of each interface, processor time of each node, DNS queries, since the start. */
  counters(): Promise<Counters>
  /**
   * Impairs what a node sends on a link, or receives (`direction`), in place of what impaired that before; without any
   * impairment that direction is whole again, and without a direction the link. Disposing of it makes it whole. A reset of the node brings back what its topology says. A fork has the same
   * impairments. Throws BAD_IMPAIRMENT, LINK_MISSING, NODE_NOT_READY, NO_IMPAIRMENT, NO_PARTITION, QDISC_TAKEN where the guest
   * has traffic control of its own, and QDISC_MISSING, LINK_KIND_MISSING or FILTER_MISSING where its kernel lacks netem, ifb or redirection.
   *
   * ```ts
   * await using slow = await cluster.impair({ node: 1, dev: 'eth1', delayMs: 20, loss: 0.01 })
   * ```
   */
  impair(link: LinkImpairment): Promise<AsyncDisposable>
  /** The links that are impaired. */
  impaired(): ImpairedLink[]
  /** The same, with states and milestones and what the DNS forwarder counts, as the text that Prometheus reads. */
  metrics(): Promise<string>
  /**
   * Records the frames of a node's interface (`eth1`) as the host sees them, into a new file for tcpdump(8) and
   * wireshark, until it is closed or the interface goes: with its node, or in the hands of a script with a reset.
   * Throws CAPTURE_INTERFACE, and NO_CAPTURE where the host cannot see it: net 0 in user space, a script's own device.
   */
  capture(node: number, dev: string, file: string): Promise<Recording>
  /**
   * Captures any links at once, all without `nodes` and `nets`, into one pcapng file or stream in the order of time,
   * until it is closed or the links have gone. Nodes that are added later are not in it. Throws BAD_FILTER, NET_MISSING,
   * CAPTURE_INTERFACE and NO_CAPTURE. Equivalent: `tcpdump -w` on each link, and mergecap(1).
   */
  capture(what: CaptureSpec): Promise<Capture>
  /**
   * Waits for a packet on any of the links: by a filter as for `capture`, or a function that gets each packet with its
   * headers decoded. It looks from the call on. Throws PACKET_TIMEOUT, WAIT_ABORTED, and as `capture` does.
   */
  packet(wanted: PacketWanted, options?: PacketOptions): Promise<Packet>
  /** The cluster's DNS forwarder. Undefined with `dns: 'off'`. The cluster closes it: do not close it yourself. */
  readonly dns: Dns | undefined
  /** The names that it answers: nodes' names, those of the settings, and those added here. */
  readonly names: Pick<ClusterNames, 'domain' | 'list' | 'add' | 'remove'>
  /** Answers of it that fail, for tests of what runs in the guests. */
  readonly dnsFaults: Pick<ClusterFaults, 'list' | 'add' | 'clear'>
  /** Pings every address that each node should reach by the topology, IPv4 and IPv6. */
  checkReach(options?: WaitOptions): Promise<ReachResult[]>
  /**
   * Compares what the kernels of all guests have with the plan: interfaces, addresses, routes, rules, neighbours, sysctls,
   * masquerading, and the paths that follow from them. Every next hop is looked for once. No program runs in a guest.
   * What the guests have beside the plan does not count, unless packets take another path because of it.
   */
  verify(options?: VerifyOptions): Promise<Verified>
  /** Stops the nodes' processors: all nodes' without an argument. A node that is paused already stays paused. */
  pause(nodes?: readonly number[], options?: WaitOptions): Promise<void>
  /** Lets the processors of paused nodes run again, and sets their clocks. */
  resume(nodes?: readonly number[], options?: WaitOptions): Promise<void>
  /**
   * Stops the VMs of nodes, gracefully within `graceMs` milliseconds each. They stay in the cluster as `stopped`, and
   * the routes of the others stay too. {@link Cluster.reset} starts them afresh.
   */
  halt(nodes: readonly number[], options?: WaitOptions & { readonly graceMs?: number }): Promise<void>
  /**
   * Replaces nodes, all without an argument, by fresh ones with the same addresses, in any state: paused, stopped and
   * failed ones too. Resolves when they are ready.
   */
  reset(nodes?: readonly number[], options?: WaitOptions): Promise<void>
  /**
   * Adds nodes by their numbers, and updates the routes of the others. Resolves when the new ones are ready. When one
   * of them fails, removes all that this call has added and throws. Throws NODE_EXISTS and NODE_NUMBER.
   */
  scaleOut(nodes: readonly number[], options?: WaitOptions): Promise<void>
  /**
   * Removes nodes, gracefully within `graceMs` milliseconds each, and the links that only they used. The other nodes'
   * routes are updated first. Throws NO_NODES for the last node.
   */
  scaleIn(nodes: readonly number[], options?: WaitOptions & { readonly graceMs?: number }): Promise<void>
  /**
   * Turns it into what a topology says: a file, the name of one, or a value. Adds, removes and updates nodes, starts those
   * anew that cannot change while they run, changes nets and impairments, and resolves with the difference that there was.
   * Settings that the topology's file does not give stay. Throws BAD_TOPOLOGY, APPLY_REFUSED before anything is changed,
   * and APPLY_INCOMPLETE when a step fails: applying again does what is left.
   *
   * ```ts
   * const { changes } = await cluster.apply('lab.yaml', { dryRun: true })
   * ```
   */
  apply(topology: string | Topology, options?: ApplyOptions): Promise<Applied>
  /**
   * Freezes it: saves it as it is at one moment under a name, for {@link openLab}, and ends it. With `keep` it goes on, as
   * it does when it could not be saved. Throws CLUSTER_NOT_FREEZABLE, NODE_NOT_READY, NODE_BUSY, SNAPSHOT_NAME,
   * SNAPSHOT_TAKEN and SNAPSHOT_FAILED.
   */
  save(snapshot: string, options?: SaveOptions): Promise<SavedSnapshot>
  /**
   * Stops the nodes, gracefully within `graceMs` milliseconds each, and removes the network. A second call waits for
   * the same end.
   */
  stop(options?: { readonly graceMs?: number }): Promise<void>
}
