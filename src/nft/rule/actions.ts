import { take } from '../takes.ts'
import {
  type Expression,
  NFT_CONNLIMIT_F_INV,
  NFT_QUOTA_F_INV,
  NFT_REG_VERDICT,
  type Verdict as WireVerdict,
} from '../wire/index.ts'
import { immediate, type Statement } from './draft.ts'
import { limitAttributes, type Rate } from './stateful.ts'

/** A verdict. It ends the rule, and can be the value of a verdict map. */
export interface Verdict extends Statement {
  readonly verdict: WireVerdict
}

function verdict(code: WireVerdict['code'] & string, chain?: string): Verdict {
  const value: WireVerdict = { code, ...(chain !== undefined && { chain }) }
  const text = chain === undefined ? code : `${code} ${chain}`
  return {
    text,
    verdict: value,
    write: rule => rule.add(immediate(NFT_REG_VERDICT, { verdict: value })),
  }
}

export const accept = () => verdict('accept')
export const drop = () => verdict('drop')
/** Continues with the next rule. Useful in a verdict map. */
export const proceed = () => verdict('continue')
/** Returns to the chain that jumped here; in a base chain, applies its policy. */
export const back = () => verdict('return')
/** Continues in another chain, and returns when that has no verdict. */
export const jump = (chain: string) => verdict('jump', take('build rule', chain, ['text', 'chain']))
/** Continues in another chain without returning. */
export const goto = (chain: string) => verdict('goto', take('build rule', chain, ['text', 'chain']))

function statement(text: string, ...expressions: readonly Expression[]): Statement {
  return { text, write: rule => rule.add(...expressions) }
}

/** Arbitrary expressions, for what has no function here. Registers 1 to 4 are free between statements. */
export function raw(...expressions: readonly Expression[]): Statement {
  take('build rule', expressions, ['Expressions', 'expressions'])
  return statement(expressions.map(({ kind }) => kind).join(' '), ...expressions)
}

/** Counts packets and bytes, starting from the given values. */
export function counter(from: { packets?: bigint; bytes?: bigint } = {}): Statement {
  const { bytes, packets } = take('build counter', from, 'counter')
  return statement('counter', {
    kind: 'counter',
    ...(bytes !== undefined && { bytes }),
    ...(packets !== undefined && { packets }),
  })
}

export interface Quota {
  readonly bytes: bigint
  /** Matches packets after it is used up instead of those before. */
  readonly over?: boolean
  /** How much of it has been used. */
  readonly used?: bigint
}

/** Matches until so many bytes have passed. `quota 25 mbytes` */
export function quota(spec: Quota): Statement {
  const { bytes, over = false, used = 0n } = take('build quota', spec, 'Quota')
  return statement(`quota ${over ? 'over ' : ''}${bytes} bytes`, {
    kind: 'quota',
    bytes,
    consumed: used,
    flags: over ? NFT_QUOTA_F_INV : 0,
  })
}

/** Matches while there are at most so many connections or, with `over`, more. `ct count 20` */
export function connectionCount(most: { count: number; over?: boolean }): Statement {
  const { count, over = false } = take('build connection count', most, 'ConnectionCount')
  const flags = over ? NFT_CONNLIMIT_F_INV : 0
  return statement(`ct count ${over ? 'over ' : ''}${count}`, { kind: 'connlimit', count, flags })
}

/** Notes when the last packet passed (Linux 5.14, nft 1.0.7). */
export const lastUsed = () => statement('last', { kind: 'last' })

/** Matches as long as the rate is not exceeded. `limit rate 10/second` */
export function limit(rate: Rate): Statement {
  take('build limit', rate, 'Rate')
  const { unit = 'packets', over = false } = rate
  const text = `limit rate ${over ? 'over ' : ''}${rate.rate} ${unit}/${rate.per}`
  return statement(text, { kind: 'limit', ...limitAttributes(rate) })
}
