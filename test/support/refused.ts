import { XclusterError } from '../../src/base/index.ts'

/** Returns the error that a call throws, which must be an XclusterError. */
export function refused(call: () => unknown): XclusterError {
  try {
    call()
  } catch (failure) {
    if (failure instanceof XclusterError) return failure
    throw failure
  }
  throw new Error('the call did not throw')
}
