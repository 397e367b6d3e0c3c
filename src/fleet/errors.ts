import { XclusterError } from '../base/index.ts'

/** A lab over several hosts that cannot be placed, joined or kept. */
export class FleetError extends XclusterError {}
