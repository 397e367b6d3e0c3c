import type { Nic } from '../base/index.ts'
import type { NetNamespace } from '../sys/index.ts'
import type { BridgePlan } from './bridge-plan.ts'

/** The network of a cluster: what all its nodes' cables end in. Closing it takes all of it away. */
export interface Fabric extends AsyncDisposable {
  /** Where its links are, and the host's own addresses on it. */
  readonly namespace: NetNamespace
  /** What QEMU needs for each interface of a node, eth0 first; the file descriptors stay the fabric's. */
  nics(node: number): Nic[]
  /**
   * Makes it as another plan has it. What is new is made first, all or nothing; what is in that plan no more goes
   * then. What both have stays as it is.
   */
  change(plan: BridgePlan): Promise<void>
  close(): Promise<void>
}
