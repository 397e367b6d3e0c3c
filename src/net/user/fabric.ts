import type { Nic } from '../../base/index.ts'
import type { BridgePlan, TapSpec } from '../../plan/index.ts'
import { allForwards, planUserNics, planUserSpace, segmentNets, type UserWiring } from '../../plan/index.ts'
import { type CapturedLink, captureSegment, type FrameReceiver } from '../capture/source.ts'
import { NetError } from '../errors.ts'
import type { Fabric } from '../fabric.ts'
import type { InterfaceTraffic } from '../traffic.ts'
import { SegmentMeters } from './meters.ts'
import { type Claim, claimSegment, mustBeFree } from './ports.ts'

/**
 * A network that needs no privileges: QEMU's own router on net 0, ports of the host that are forwarded to
 * nodes, and multicast segments on loopback. QEMU makes all of it; this makes sure that ports and groups are
 * free.
 */
export async function openUserFabric(plan: BridgePlan, wiring: UserWiring): Promise<Fabric> {
  const fabric = new UserSpace(wiring)
  try {
    await fabric.change(plan)
    return fabric
  } catch (failure) {
    await fabric.close()
    throw failure
  }
}

class UserSpace implements Fabric {
  readonly kind = 'user'
  readonly namespace = undefined
  readonly #wiring: UserWiring
  readonly #meters: SegmentMeters
  /** By net. */
  readonly #claims = new Map<number, Claim>()
  #plan: Pick<BridgePlan, 'taps'> = { taps: [] }
  #closed = false

  constructor(wiring: UserWiring) {
    this.#meters = new SegmentMeters(wiring.mcastBase)
    this.#wiring = wiring
  }

  async nics(node: number): Promise<Nic[]> {
    this.#mustBeOpen()
    return planUserNics(this.#plan, node, this.#wiring).map(({ args }) => ({ args, fds: [] }))
  }

  async capture(spec: TapSpec, receiver: FrameReceiver): Promise<CapturedLink> {
    this.#mustBeOpen()
    return await captureSegment(spec, this.#wiring.mcastBase, receiver)
  }

  async traffic(): Promise<InterfaceTraffic[]> {
    this.#mustBeOpen()
    return await this.#meters.read(this.#plan)
  }

  async change(plan: BridgePlan): Promise<void> {
    this.#mustBeOpen()
    const { forwards } = planUserSpace(plan, this.#wiring)
    const ours = new Set(allForwards(this.#plan, this.#wiring).map(({ from }) => from))
    await mustBeFree(forwards.filter(({ from }) => !ours.has(from)))
    const before = segmentNets(this.#plan.taps)
    const after = segmentNets(plan.taps)
    await this.#claim(after.filter(net => !before.includes(net)))
    await this.#release(before.filter(net => !after.includes(net)))
    this.#plan = plan
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#meters.close()
    await this.#release([...this.#claims.keys()])
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Claims all of the nets or none. */
  async #claim(nets: readonly number[]): Promise<void> {
    try {
      for (const net of nets) this.#claims.set(net, await claimSegment(net, this.#wiring.mcastBase))
    } catch (failure) {
      await this.#release(nets)
      throw failure
    }
  }

  async #release(nets: readonly number[]): Promise<void> {
    const claims = nets.flatMap(net => this.#claims.get(net) ?? [])
    for (const net of nets) this.#claims.delete(net)
    await Promise.all(claims.map(claim => claim.close()))
  }

  #mustBeOpen(): void {
    if (!this.#closed) return
    throw new NetError({ code: 'NETWORK_CLOSED', op: 'use', target: 'network', reason: 'it has been closed' })
  }
}
