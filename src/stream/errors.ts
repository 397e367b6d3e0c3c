import { XclusterError } from '../base/index.ts'

/** A command in a guest that could not be started, or whose stream was lost. */
export class CommandError extends XclusterError {}
