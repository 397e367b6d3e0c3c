import { type ErrorDetails, XclusterError } from '../base/index.ts'
import { type Doing, NetlinkError } from '../netlink/index.ts'

/** A table, chain, set or rule that is impossible as given. A refusal of the kernel is a NetlinkError. */
export class NftError extends XclusterError {}

/** The error for a value that a match, set or statement cannot have. */
export function badValue(target: string, reason: string): NftError {
  const details: ErrorDetails = { code: 'NFT_VALUE', kind: 'usage', op: 'build rule', target, reason }
  return new NftError(details)
}

/**
 * The error for parts of a rule that no packet can match together, or that this family of table does not
 * allow.
 */
export function conflict(target: string, reason: string): NftError {
  return new NftError({ code: 'NFT_CONFLICT', kind: 'usage', op: 'build rule', target, reason })
}

/** The same error about what is being made, for one about a part of it: a value, or a number that its field cannot hold. */
export function errorAbout(doing: Doing, failure: unknown): unknown {
  if (failure instanceof NftError) {
    const { code, kind, target, reason } = failure
    return new NftError({ code, kind, ...doing, reason: `${target}: ${reason}` })
  }
  if (!(failure instanceof NetlinkError) || failure.code !== 'NETLINK_ENCODE') return failure
  const { code, kind, reason, attribute } = failure
  return new NetlinkError({ code, kind, ...doing, reason, ...(attribute !== undefined && { attribute }) })
}
