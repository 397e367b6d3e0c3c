import { XclusterError } from '../base/index.ts'

/** Files that could not be copied to or from a guest. */
export class FileError extends XclusterError {}
