import { DecodeError, type ErrorDetails, XclusterError } from '../base/index.ts'

/** A failure while a guest image is built. */
export class ImageError extends XclusterError {}

/** The result of `decode`. Bytes that do not decode become an error that names their file. */
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
