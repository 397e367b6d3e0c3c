import { PlanError } from '../errors.ts'

/** The address that every member of a segment sends to and listens on. */
export interface SegmentAddress {
  readonly group: string
  readonly port: number
}

/** The port that the original xcluster uses. */
const segmentPort = 27030

/** The last usable group. 224.0.0.251 is mDNS. */
const lastGroup = 250

/** The default of `XCLUSTER_MCAST_BASE`. */
const usualMcastBase = 120

/** The multicast group of a user-space net. Throws SEGMENT_NUMBER (usage) for a net without one. */
export function segmentOf(net: number, mcastBase: number = usualMcastBase): SegmentAddress {
  const last = Math.max(0, lastGroup - mcastBase)
  if (net >= 1 && net <= last) return { group: `224.0.0.${mcastBase + net}`, port: segmentPort }
  throw new PlanError({
    code: 'SEGMENT_NUMBER',
    kind: 'usage',
    op: 'plan user-space network',
    target: `net ${net}`,
    reason:
      net === 0
        ? 'net 0 is not a multicast segment: each node has a router of its own there'
        : `its multicast group would be above 224.0.0.${lastGroup}, where groups have other uses (224.0.0.251 is mDNS)`,
    remedy: `Use nets 1 to ${last}${mcastBase > 30 ? ', or a lower XCLUSTER_MCAST_BASE' : ''}`,
  })
}
