import { XclusterError } from '../base/index.ts'

/** An assertion of a test about its cluster that does not hold. */
export class TestingError extends XclusterError {}
