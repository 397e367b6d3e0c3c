import { XclusterError } from '../base/index.ts'

/** A cluster, or a part of one, that cannot exist as requested. */
export class PlanError extends XclusterError {}
