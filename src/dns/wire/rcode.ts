import { emptyOpt, flag2, Type } from './constants.ts'

/** The size of an extended error after the OPT record. */
const extendedError = 6

/**
 * The whole response code of an answer written here. Its OPT record, if any, is the last one (RFC 6891
 * §6.1.3).
 */
export function rcodeOf(answer: Uint8Array): number {
  const low = answer[3]! & flag2.rcode
  if (answer[11] === 0 && answer[10] === 0) return low
  for (const at of [answer.length - emptyOpt, answer.length - emptyOpt - extendedError])
    if (answer[at] === 0 && answer[at + 1] === 0 && answer[at + 2] === Type.OPT)
      return low | (answer[at + 5]! << 4)
  return low
}
