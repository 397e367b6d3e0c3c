import { XclusterError } from '../base/index.ts'

/** A guest that could not be configured, or did not answer. */
export class GuestError extends XclusterError {}
