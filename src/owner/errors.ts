import { XclusterError } from '../base/index.ts'

/** An owner process that cannot be started, or that does not do what it is asked for. */
export class OwnerError extends XclusterError {}
