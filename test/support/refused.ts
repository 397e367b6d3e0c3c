import { XclusterError } from '../../src/base/index.ts'

/** The error that a call throws, which must be an XclusterError. */
export function refused(call: () => unknown): XclusterError {
  try {
    call()
  } catch (failure) {
    if (failure instanceof XclusterError) return failure
    throw failure
  }
  throw new Error('the call was not refused')
}
