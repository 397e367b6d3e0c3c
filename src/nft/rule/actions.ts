import { badValue } from '../errors.ts'
import { types } from '../values.ts'
import {
  type Expression,
  NFT_LIMIT_F_INV,
  NFT_REG_1,
  NFT_REG_VERDICT,
  type Verdict as WireVerdict,
} from '../wire/index.ts'
import { type Draft, immediate, type Statement } from './draft.ts'

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
export const jump = (chain: string) => verdict('jump', chain)
/** Continues in another chain without returning. */
export const goto = (chain: string) => verdict('goto', chain)

function statement(text: string, ...expressions: readonly Expression[]): Statement {
  return { text, write: rule => rule.add(...expressions) }
}

/** Arbitrary expressions, for what has no function here. Registers 1 to 4 are free between statements. */
export function raw(...expressions: readonly Expression[]): Statement {
  return statement(expressions.map(({ kind }) => kind).join(' '), ...expressions)
}

/** Counts packets and bytes, starting from the given values. */
export function counter({ bytes, packets }: { packets?: bigint; bytes?: bigint } = {}): Statement {
  return statement('counter', {
    kind: 'counter',
    ...(bytes !== undefined && { bytes }),
    ...(packets !== undefined && { packets }),
  })
}

const seconds = { second: 1n, minute: 60n, hour: 3600n, day: 86400n, week: 604800n }

export interface Rate {
  readonly rate: number
  readonly per: keyof typeof seconds
  /** The unit of `rate`. Default: `packets`. */
  readonly unit?: 'packets' | 'bytes'
  /** Default: 5 packets, or 0 bytes. */
  readonly burst?: number
  /** Matches packets above the rate instead of those within it. */
  readonly over?: boolean
}

/** Matches as long as the rate is not exceeded. `limit rate 10/second` */
export function limit({ rate, per, unit = 'packets', burst, over = false }: Rate): Statement {
  if (!Number.isSafeInteger(rate) || rate <= 0)
    throw badValue('limit', `the rate ${rate} is not a whole number above 0`)
  return statement(`limit rate ${over ? 'over ' : ''}${rate} ${unit}/${per}`, {
    kind: 'limit',
    rate: BigInt(rate),
    unit: seconds[per],
    ...(unit === 'packets' ? { burst: burst ?? 5 } : burst !== undefined && { burst }),
    type: unit,
    flags: over ? NFT_LIMIT_F_INV : 0,
  })
}

export interface LogOptions {
  readonly prefix?: string
  /** Sends to the listeners of this nfnetlink group instead of the kernel's log. */
  readonly group?: number
  readonly level?: 'emerg' | 'alert' | 'crit' | 'err' | 'warn' | 'notice' | 'info' | 'debug'
}

/** Writes a line about the packet to the kernel's log. */
export function log({ prefix, group, level }: LogOptions = {}): Statement {
  if (group !== undefined && level !== undefined)
    throw badValue('log', 'log with a group cannot have a level')
  return statement('log', {
    kind: 'log',
    ...(prefix !== undefined && { prefix }),
    ...(group !== undefined && { group }),
    ...(level !== undefined && { level }),
  })
}

/** NFT_REJECT_ICMPX_*: codes for IPv4 and IPv6 alike. */
const icmpx = { 'no-route': 0, 'port-unreachable': 1, 'host-unreachable': 2, 'admin-prohibited': 3 }
/** ICMP_*_UNREACH, ICMPV6_*. */
const icmp = { 'no-route': 0, 'port-unreachable': 3, 'host-unreachable': 1, 'admin-prohibited': 13 }
const icmpv6 = { 'no-route': 0, 'port-unreachable': 4, 'host-unreachable': 3, 'admin-prohibited': 1 }

/** Rejects the packet with an error to its sender. */
export function reject(reason: keyof typeof icmpx | 'tcp reset' = 'port-unreachable'): Statement {
  return {
    text: `reject with ${reason}`,
    write(rule) {
      if (reason === 'tcp reset') {
        rule.needTransport('tcp', 'reject with tcp reset')
        rule.add({ kind: 'reject', type: 'tcp reset', icmpCode: 0 })
      } else if (rule.family === 'ip' || rule.family === 'ip6') {
        const icmpCode = (rule.family === 'ip' ? icmp : icmpv6)[reason]
        rule.add({ kind: 'reject', type: 'icmp', icmpCode })
      } else rule.add({ kind: 'reject', type: 'icmpx', icmpCode: icmpx[reason] })
    },
  }
}

function setTo(kind: 'meta' | 'ct', mark: number): Statement {
  const write = (rule: Draft) => {
    rule.add(immediate(NFT_REG_1, { value: types.mark.span(mark).from }))
    rule.add({ kind, key: 'mark', source: NFT_REG_1 })
  }
  return { text: `${kind} mark set ${mark}`, write }
}

/** Sets the packet's mark. `meta mark set 7` */
export const setMark = (mark: number) => setTo('meta', mark)
/** Sets the connection's mark. `ct mark set 7` */
export const setCtMark = (mark: number) => setTo('ct', mark)

/** Copies the packet's mark to its connection. `ct mark set meta mark` */
export function saveMark(): Statement {
  const load: Expression = { kind: 'meta', key: 'mark', destination: NFT_REG_1 }
  return statement('ct mark set meta mark', load, { kind: 'ct', key: 'mark', source: NFT_REG_1 })
}

/** Copies the connection's mark to the packet. `meta mark set ct mark` */
export function restoreMark(): Statement {
  const load: Expression = { kind: 'ct', key: 'mark', destination: NFT_REG_1 }
  return statement('meta mark set ct mark', load, { kind: 'meta', key: 'mark', source: NFT_REG_1 })
}
