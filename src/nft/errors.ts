import { type ErrorDetails, XclusterError } from '../base/index.ts'

/** A table, chain, set or rule that cannot be as it was asked for. What the kernel refuses is a NetlinkError. */
export class NftError extends XclusterError {}

/** A value that a match, a set or a statement does not take. */
export function badValue(target: string, reason: string): NftError {
  const details: ErrorDetails = { code: 'NFT_VALUE', kind: 'usage', op: 'build rule', target, reason }
  return new NftError(details)
}

/** Two parts of a rule that no packet fulfils together, or that cannot stand in this family of table. */
export function conflict(target: string, reason: string): NftError {
  return new NftError({ code: 'NFT_CONFLICT', kind: 'usage', op: 'build rule', target, reason })
}
