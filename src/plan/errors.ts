import { XclusterError } from '../base/index.ts'

/** A cluster, or a part of one, that cannot be as it is asked for. */
export class PlanError extends XclusterError {}
