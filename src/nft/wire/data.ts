import { be32, bytes, text, type ValueOf } from '../../base/index.ts'
import { attributes, nested } from '../../netlink/index.ts'
import { beI32, choice } from './choice.ts'

/** NF_* and NFT_* verdicts. */
const verdictCode = choice(beI32, {
  drop: 0,
  accept: 1,
  stolen: 2,
  queue: 3,
  repeat: 4,
  continue: -1,
  break: -2,
  jump: -3,
  goto: -4,
  return: -5,
})

/** NFTA_VERDICT_*. */
export const verdict = nested(attributes({ code: [1, verdictCode], chain: [2, text], chainId: [3, be32] }))
export type Verdict = ValueOf<typeof verdict>

/** NFTA_DATA_*: the contents of a register, an element or a comparison: bytes or a verdict. */
export const data = nested(attributes({ value: [1, bytes], verdict: [2, verdict] }))
export type Data = ValueOf<typeof data>
