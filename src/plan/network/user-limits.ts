import { PlanError } from '../errors.ts'
import type { BridgePlan } from './bridges.ts'
import { type SegmentAddress, segmentOf } from './segment.ts'
import { type Forward, forwardsOf, segmentNets, type UserWiring } from './user.ts'

/**
 * A frame travels in one UDP datagram, which holds at most 65,507 bytes. The Ethernet header takes 14 of
 * them.
 */
const maxMtu = 65_507 - 14

/** All ports of the host that are forwarded to nodes of a plan. */
export function allForwards({ taps }: Pick<BridgePlan, 'taps'>, wiring: UserWiring): Forward[] {
  const nodes = new Set(taps.filter(({ net }) => net === 0).map(({ node }) => node))
  return [...nodes].flatMap(node => forwardsOf(node, wiring))
}

/** The ports and multicast groups of the host that a user-space network uses. */
export interface UserSpacePlan {
  readonly forwards: readonly Forward[]
  readonly segments: readonly (SegmentAddress & { readonly net: number })[]
}

/**
 * What a user-space network needs in place of bridges and taps. Throws SEGMENT_NUMBER or USER_NETWORK (usage)
 * for a plan that cannot work in user space on any machine. Pure.
 */
export function planUserSpace(plan: BridgePlan, wiring: UserWiring): UserSpacePlan {
  const mtu = Math.max(plan.mtu, ...Object.values(plan.mtus ?? {}))
  if (mtu > maxMtu)
    throw unfit('MTU', `${mtu} is more than a UDP datagram can carry`, `Use ${maxMtu} or less`)
  const segments = segmentNets(plan.taps).map(net => ({ net, ...segmentOf(net, wiring.mcastBase) }))
  const forwards = allForwards(plan, wiring)
  const taken = new Map<number, Forward>()
  for (const forward of forwards) {
    const { from } = forward
    const other = taken.get(from)
    if (other)
      throw unfit(
        `port ${from}`,
        `it would be forwarded both to ${named(other)} and to ${named(forward)}`,
        apart,
      )
    taken.set(from, forward)
  }
  return { forwards, segments }
}

const apart = 'Use bases that are further apart (XCLUSTER_TELNET_BASE, XCLUSTER_SSH_BASE)'

function named({ service, node }: Forward): string {
  return `${service} of node ${node}`
}

function unfit(target: string, reason: string, remedy: string): PlanError {
  const op = 'plan user-space network'
  return new PlanError({ code: 'USER_NETWORK', kind: 'usage', op, target, reason, remedy })
}
