import { DecodeError, type ErrorDetails, XclusterError } from '../base/index.ts'

/** What goes wrong while a guest image is put together. */
export class ImageError extends XclusterError {}

/** What `decode` gives; bytes that do not decode become the error that says which file they are in. */
export async function decoding<T>(
  file: Omit<ErrorDetails, 'reason'>,
  decode: () => T | Promise<T>,
): Promise<T> {
  try {
    return await decode()
  } catch (failure) {
    if (!(failure instanceof DecodeError)) throw failure
    throw new ImageError({ ...file, reason: failure.reason, cause: failure })
  }
}
