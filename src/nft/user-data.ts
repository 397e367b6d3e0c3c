import { Writer } from '../base/index.ts'
import { NftError } from './errors.ts'
import type { ValueType } from './values.ts'

/** Data that nft attaches to rules and sets for its own listings. The kernel ignores it (libnftnl/udata.h). */
const NFTNL_UDATA_RULE_COMMENT = 0
const NFTNL_UDATA_SET_KEYBYTEORDER = 0
const NFTNL_UDATA_SET_DATABYTEORDER = 1
const NFTNL_UDATA_SET_DATA_INTERVAL = 6

/** One byte for the type, one for the length, then the value. */
export function commentData(comment: string): Uint8Array {
  const text = new TextEncoder().encode(comment)
  if (text.length > 127) {
    const reason = `a comment can have at most 127 bytes, not ${text.length}`
    throw new NftError({ code: 'NFT_VALUE', kind: 'usage', op: 'build rule', target: 'comment', reason })
  }
  return Uint8Array.of(NFTNL_UDATA_RULE_COMMENT, text.length + 1, ...text, 0)
}

export function commentOf(userData: Uint8Array): string | undefined {
  for (let at = 0; at + 2 <= userData.length; at += 2 + userData[at + 1]!) {
    const value = userData.subarray(at + 2, at + 2 + userData[at + 1]!)
    if (userData[at] === NFTNL_UDATA_RULE_COMMENT) return new TextDecoder().decode(value).replace(/\0+$/, '')
  }
  return undefined
}

/** enum byteorder: host 1, big-endian 2; 0 for verdicts. */
const byteOrder = (type: ValueType<unknown> | 'verdict'): number =>
  type === 'verdict' ? 0 : type.host ? 1 : 2

export function setData(key: ValueType<unknown>, data?: ValueType<unknown> | 'verdict'): Uint8Array {
  const out = new Writer()
  const put = (type: number, value: number) => {
    out.u8(type)
    out.u8(4)
    out.u32(value)
  }
  put(NFTNL_UDATA_SET_KEYBYTEORDER, byteOrder(key))
  if (data !== undefined) {
    put(NFTNL_UDATA_SET_DATABYTEORDER, byteOrder(data))
    put(NFTNL_UDATA_SET_DATA_INTERVAL, 0)
  }
  return out.done()
}
