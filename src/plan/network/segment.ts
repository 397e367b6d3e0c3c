import { PlanError } from '../errors.ts'

/** Where all on a segment send to, and listen. */
export interface SegmentAddress {
  readonly group: string
  readonly port: number
}

/** As the original has it. */
const segmentPort = 27030

/** The last group that is nobody else's: 224.0.0.251 is mDNS. */
const lastGroup = 250

/** `XCLUSTER_MCAST_BASE` unless told. */
const usualMcastBase = 120

/** The multicast group of a user-space net. Throws SEGMENT_NUMBER (usage) for a net that can have none. */
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
        ? 'net 0 is no segment: each node has a router of its own there'
        : `its group would be beyond 224.0.0.${lastGroup}, and those are not free (mDNS is 224.0.0.251)`,
    remedy: `Take nets from 1 to ${last}${mcastBase > 30 ? ', or a lower XCLUSTER_MCAST_BASE' : ''}`,
  })
}
