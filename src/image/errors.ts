import { XclusterError } from '../base/index.ts'

/** What goes wrong while a guest image is put together. */
export class ImageError extends XclusterError {}
