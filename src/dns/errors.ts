import { XclusterError } from '../base/index.ts'

/** Whatever goes wrong with the DNS forwarder and those it asks. */
export class DnsError extends XclusterError {}
