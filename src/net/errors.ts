import { XclusterError } from '../base/index.ts'

/** A cluster's network that cannot be made or kept. */
export class NetError extends XclusterError {}
