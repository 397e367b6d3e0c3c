import { XclusterError } from '../base/index.ts'

/** The network of a cluster cannot be made, or not kept. */
export class NetError extends XclusterError {}
