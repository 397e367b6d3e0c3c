import { XclusterError } from '../base/index.ts'

/** A failure of the DNS forwarder or of its upstreams. */
export class DnsError extends XclusterError {}

/** The caller's signal aborted; `cause` is its reason. */
export function aborted(op: string, target: string, cause: unknown): DnsError {
  return new DnsError({ code: 'DNS_ABORTED', op, target, reason: 'the signal of the caller aborted', cause })
}
