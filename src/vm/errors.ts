import { XclusterError } from '../base/index.ts'

/** A VM that cannot start, died, or did not do what it was asked. */
export class VmError extends XclusterError {}
