import { XclusterError } from '../base/index.ts'

/** A failure of the DNS forwarder or of its upstreams. */
export class DnsError extends XclusterError {}
