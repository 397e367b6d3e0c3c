import { XclusterError } from '../base/index.ts'

/** A guest that did not do what it was told, or cannot be reached. */
export class GuestError extends XclusterError {}
