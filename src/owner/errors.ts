import { XclusterError } from '../base/index.ts'

/** An owner process that cannot be started, or a request that it refuses. */
export class OwnerError extends XclusterError {}
