import type { TunnelCounts, UplinkStatus } from '../api/index.ts'
import type { Nic } from '../base/index.ts'
import type { BridgePlan, FabricKind, TapSpec } from '../plan/index.ts'
import type { NetNamespace } from '../sys/index.ts'
import type { CapturedLink, FrameReceiver } from './capture/source.ts'
import type { InterfaceTraffic } from './traffic.ts'

/**
 * The network of a cluster, to which the interfaces of all its nodes are connected. Closing it removes
 * everything.
 */
export interface Fabric extends AsyncDisposable {
  readonly kind: FabricKind
  /** The namespace of its links and of the host's own addresses. A fabric of QEMU's own sockets has none. */
  readonly namespace: NetNamespace | undefined
  /** Its uplink, where it has one. */
  readonly uplink?: UplinkStatus
  /** A user's script or function defines its interfaces: options that QEMU refuses fail one node only. */
  readonly custom?: true
  /**
   * What QEMU needs for each interface of a node, eth0 first. The fabric keeps the file descriptors. A
   * failure affects this node alone. A second call for a node replaces the result of the first. `signal`
   * cancels it.
   */
  nics(node: number, signal?: AbortSignal): Promise<Nic[]>
  /**
   * Changes it to another plan. New parts are made first, all or nothing. Then the parts that the new plan
   * lacks are removed. Parts of both plans stay as they are, but for their MTU.
   */
  change(plan: BridgePlan): Promise<void>
  /**
   * Passes on the frames of a node's interface, from now on, until it is closed. Throws NO_CAPTURE where this process
   * cannot see them.
   */
  capture(spec: TapSpec, receiver: FrameReceiver): Promise<CapturedLink>
  /** What each node has sent and received on each net, as far as the host sees it. */
  traffic(): Promise<readonly InterfaceTraffic[]>
  /** What its tunnel to other hosts has carried, where that is in user space. */
  tunnel?(): TunnelCounts
  close(): Promise<void>
}
