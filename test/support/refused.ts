import { XclusterError } from '../../src/base/index.ts'

/** The error that a call throws; it has to be one of ours. */
export function refused(call: () => unknown): XclusterError {
  try {
    call()
  } catch (failure) {
    if (failure instanceof XclusterError) return failure
    throw failure
  }
  throw new Error('it was not refused')
}
