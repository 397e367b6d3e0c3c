import type { UplinkStatus } from '../api/index.ts'
import type { Nic } from '../base/index.ts'
import type { BridgePlan, FabricKind } from '../plan/index.ts'
import type { NetNamespace } from '../sys/index.ts'

/** The network of a cluster: what all its nodes' cables end in. Closing it takes all of it away. */
export interface Fabric extends AsyncDisposable {
  readonly kind: FabricKind
  /** Where its links are, and the host's own addresses on it; a fabric of QEMU's own sockets has none. */
  readonly namespace: NetNamespace | undefined
  /** Its way out, where it has one. */
  readonly uplink?: UplinkStatus
  /** A user's script or function says what interfaces are like: what QEMU does not take of that is one node's failure. */
  readonly custom?: true
  /**
   * What QEMU needs for each interface of a node, eth0 first; the file descriptors stay the fabric's. A failure
   * is this node's alone. Who asks again has no use for what was given before. `signal` calls it off.
   */
  nics(node: number, signal?: AbortSignal): Promise<Nic[]>
  /**
   * Makes it as another plan has it. What is new is made first, all or nothing; what is in that plan no more goes
   * then. What both have stays as it is.
   */
  change(plan: BridgePlan): Promise<void>
  close(): Promise<void>
}
