import { PlanError } from '../errors.ts'
import type { BridgePlan } from './bridges.ts'
import { type SegmentAddress, segmentOf } from './segment.ts'
import { type Forward, forwardsOf, segmentNets, type UserWiring } from './user.ts'

/** A frame is one UDP datagram, of 65,507 bytes at most: 14 are the Ethernet header. */
const maxMtu = 65_507 - 14

/** All ports of the host that lead to nodes of a plan. */
export function allForwards({ taps }: Pick<BridgePlan, 'taps'>, wiring: UserWiring): Forward[] {
  const nodes = new Set(taps.filter(({ net }) => net === 0).map(({ node }) => node))
  return [...nodes].flatMap(node => forwardsOf(node, wiring))
}

/** What of the host a user-space network takes. */
export interface UserSpacePlan {
  readonly forwards: readonly Forward[]
  readonly segments: readonly (SegmentAddress & { readonly net: number })[]
}

/**
 * What bridges and taps are elsewhere. Refuses (usage) what no user-space network can be, whatever the machine is
 * like. Pure.
 */
export function planUserSpace(plan: BridgePlan, wiring: UserWiring): UserSpacePlan {
  const mtu = Math.max(plan.mtu, ...Object.values(plan.mtus ?? {}))
  if (mtu > maxMtu) throw unfit('MTU', `${mtu} is too large`, `Take ${maxMtu} or less`)
  const segments = segmentNets(plan.taps).map(net => ({ net, ...segmentOf(net, wiring.mcastBase) }))
  const forwards = allForwards(plan, wiring)
  const taken = new Map<number, Forward>()
  for (const forward of forwards) {
    const { from } = forward
    const other = taken.get(from)
    if (other) throw unfit(`port ${from}`, `it would lead to ${named(other)} and to ${named(forward)}`, apart)
    taken.set(from, forward)
  }
  return { forwards, segments }
}

const apart = 'Take bases that are further apart (XCLUSTER_TELNET_BASE, XCLUSTER_SSH_BASE)'

function named({ service, node }: Forward): string {
  return `${service} of node ${node}`
}

function unfit(target: string, reason: string, remedy: string): PlanError {
  const op = 'plan user-space network'
  return new PlanError({ code: 'USER_NETWORK', kind: 'usage', op, target, reason, remedy })
}
