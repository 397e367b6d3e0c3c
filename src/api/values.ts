import type { Role } from '../base/index.ts'
import type {
  Backend,
  Change,
  Difference,
  Direction,
  FabricKind,
  Impairment,
  NodeNet,
  Pair,
} from '../plan/index.ts'

/**
 * The states of a node: `waiting` (for its turn) → `starting` (QEMU) → `booting` (its kernel; a clone resumes) →
 * `configuring` (its identity: addresses, routes) → `ready` ⇄ `paused` → `stopping` → `stopped`. Each of them can
 * lead to `failed`. A reset leads from `ready`, `paused`, `stopped`
 * and `failed` back to `waiting`.
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
  /** What is wrong with it although it runs: its guest did not answer. */
  readonly warning?: string
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

/** A host of a lab over several. */
export interface HostStatus {
  /** Its number: 0 leads. */
  readonly host: number
  /** Its address or name, as it was given. */
  readonly name: string
  /** The model of its CPU. Saved guests hold for one model alone. */
  readonly cpu: string
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
  /** The hosts of a lab over several, by number, and whether its nets are encrypted between them. */
  readonly hosts?: readonly HostStatus[]
  readonly encrypted?: boolean
  readonly nodes: readonly NodeStatus[]
}

/** `template` occurs only when one is built, before `vms` ends. */
export type StepName = 'image' | 'network' | 'template' | 'vms' | 'configure'

/** The events of a cluster. */
export type ClusterEvent =
  | { readonly type: 'notice'; readonly text: string }
  | {
      readonly type: 'step'
      readonly step: StepName
      readonly state: 'begin' | 'end'
      readonly text: string
    }
  /** `ms` counts from the start of the node's QEMU. */
  | {
      readonly type: 'node'
      readonly id: number
      readonly name: string
      readonly state: NodeState
      readonly ms: number
      readonly reason?: string
    }
  /** `ms` as above, to a tenth. */
  | {
      readonly type: 'milestone'
      readonly id: number
      readonly name: string
      readonly milestone: NodeMilestone
      readonly ms: number
    }
  | { readonly type: 'cluster'; readonly state: ClusterState }
  | CountersEvent

/** Counters, and how they grew since the reading before. */
export interface CountedRates extends Counted {
  readonly framesPerSecond: number
  readonly bitsPerSecond: number
}

/** What links and nets carry, for listeners that ask for it. */
export interface CountersEvent {
  readonly type: 'counters'
  /** The time between the two readings. */
  readonly seconds: number
  /** What each guest has sent and received. Nets whose frames the host cannot see are absent. */
  readonly links: readonly {
    readonly id: number
    readonly name: string
    readonly dev: string
    readonly net: number
    readonly sent: CountedRates
    /** Absent in user space. */
    readonly received?: CountedRates
  }[]
  /** What nodes have sent on each net. */
  readonly nets: readonly ({ readonly net: number } & CountedRates)[]
}

/** The events of a start: the caller causes the states of the cluster, and knows them. */
export type ProgressEvent = Exclude<ClusterEvent, { readonly type: 'cluster' | 'counters' }>

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

/** How a cluster differs from its plan: what `xc verify --json` prints. */
export interface VerifyReport {
  readonly v: 1
  /** Nothing differs. */
  readonly ok: boolean
  readonly differences: readonly Difference[]
  /** Nodes whose guests could not be asked. */
  readonly unverified: readonly { readonly node: string; readonly reason: string }[]
  /** The ways from node to node that the plan has, and how many of them do not hold. */
  readonly paths: { readonly planned: number; readonly broken: number }
}

/** Frames and their bytes. */
export interface Counted {
  readonly frames: number
  readonly bytes: number
  /** Frames that the interface could not take. Absent in user space. */
  readonly dropped?: number
}

/** Datagrams of VXLAN that this process has carried between hosts. */
export interface TunnelCounts {
  readonly sent: number
  readonly received: number
  /** Dropped: they came from an address that is none of the lab's hosts. */
  readonly strangers: number
  /** Dropped: their network is none of the lab's, or they are no VXLAN, or too long. */
  readonly refused: number
  /** Dropped: the kernel had no room for them. */
  readonly lost: number
}

/** Counters of a running cluster. They only grow, but those of a node that is reset. */
export interface Counters {
  readonly v: 1
  /** When they were read, on a monotonic clock of the owner. */
  readonly atMs: number
  /** The machine's load averages over 1, 5 and 15 minutes. */
  readonly load: readonly [number, number, number]
  /** Queries to the DNS forwarder, and those among them that no upstream was asked for. Absent without a forwarder. */
  readonly dns?: { readonly questions: number; readonly answeredHere: number }
  /** Of a host of a lab whose owner is not root. */
  readonly tunnel?: TunnelCounts
  readonly nodes: readonly {
    readonly id: number
    /** The processor time of its QEMU, while there is one. */
    readonly cpuMs?: number
    /** What its guest has sent and received. Nets whose frames the host cannot see are absent. */
    readonly nets: readonly {
      readonly net: number
      readonly dev: string
      readonly sent: Counted
      /** Absent in user space. */
      readonly received?: Counted
    }[]
  }[]
}

/** One direction of a link that is impaired, or a link that is cut off. */
export interface ImpairedLink extends Impairment {
  /** `vm-001` */
  readonly node: string
  readonly dev: string
  readonly net: number
  /** Of one that is cut off: `both`. */
  readonly direction: Direction
  /** What makes it. */
  readonly by: Backend
}

/** The links of a cluster that are impaired: what `xc link --json` prints. */
export interface ImpairedLinks {
  readonly v: 1
  readonly links: readonly ImpairedLink[]
}

/** The difference between a running cluster and a topology: what `xc apply --json` prints. */
export interface Applied {
  readonly v: 1
  /** All of it has been changed. False with `dryRun`, and where nothing differs. */
  readonly applied: boolean
  readonly changes: readonly Change[]
  /** Nodes whose guests did not answer, and have what they had. Absent: all did. */
  readonly warnings?: readonly string[]
}

/** A capture of a node's interface. */
export interface CaptureStatus {
  /** `vm-001` */
  readonly node: string
  readonly dev: string
  /** On the owner's machine. Complete when the capture has ended. */
  readonly file: string
  readonly frames: number
  readonly bytes: number
  /** Frames that are not in the file: they came faster than it was written. */
  readonly lost: number
}

/** What `xc tcpdump --json` prints. */
export interface Captures {
  readonly v: 1
  readonly captures: readonly CaptureStatus[]
}

/** The answer of `freeze`, when all of the cluster has been saved and, unless it was kept, removed. */
export interface Frozen {
  readonly v: 1
  readonly snapshot: string
  /** How many nodes it has. */
  readonly nodes: number
  /** The length of its files. */
  readonly bytes: number
  /** Milliseconds between the first and the last node that stood still. */
  readonly spreadMs: number
  /** The cluster goes on. */
  readonly kept: boolean
  /** Unless it was kept, it ends right after. */
  readonly owner: { readonly pid: number }
}

/** The answer of `stop`, when all of the cluster has been removed. */
export interface Stopped {
  readonly v: 1
  /** It ends right after. */
  readonly owner: { readonly pid: number }
}
