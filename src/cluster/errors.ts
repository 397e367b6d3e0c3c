import { XclusterError } from '../base/index.ts'

/** A cluster that cannot be planned or started, or a node that did not do what it should. */
export class ClusterError extends XclusterError {}
