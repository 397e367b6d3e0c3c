import { protocolNumbers } from '../names.ts'
import { types, type ValueType } from '../values.ts'
import { type Expression, NFT_FIB_F_DADDR, NFT_FIB_F_SADDR, NFT_REG_1 } from '../wire/index.ts'
import type { Draft } from './draft.ts'

/** Something of a packet that a rule can look at. */
export interface Field<T> {
  /** nft's spelling: `ip saddr`. */
  readonly name: string
  readonly type: ValueType<T>
  /** Whether its first bytes can be loaded without the others. */
  readonly partial?: true
  /** Loads it, or its first `length` bytes, into register 1, after making sure that the packet has it. */
  load(rule: Draft, length: number): void
  /** What follows for the packet when it has this one value. */
  know?(rule: Draft, value: Uint8Array): void
  /** It is one of several protocols. */
  readonly protocols?: true
}

type Load = Extract<Expression, { kind: 'meta' | 'ct' | 'payload' }>
type MetaKey = Extract<Load, { kind: 'meta' }>['key'] & string
type CtKey = Extract<Load, { kind: 'ct' }>['key'] & string

export function meta<T>(key: MetaKey, type: ValueType<T>, rest: Partial<Field<T>> = {}): Field<T> {
  const load = (rule: Draft) => rule.add({ kind: 'meta', key, destination: NFT_REG_1 })
  return { name: `meta ${key}`, type, load, ...rest }
}

export function ct<T>(key: CtKey, type: ValueType<T>): Field<T> {
  return { name: `ct ${key}`, type, load: rule => rule.add({ kind: 'ct', key, destination: NFT_REG_1 }) }
}

interface Place {
  readonly base: 'link' | 'network' | 'transport'
  readonly offset: number
  /** Makes sure that the header is there. */
  readonly need: (rule: Draft, who: string) => void
}

function payload<T>(name: string, type: ValueType<T>, { base, offset, need }: Place): Field<T> {
  return {
    name,
    type,
    partial: true,
    load(rule, length) {
      need(rule, name)
      rule.add({ kind: 'payload', destination: NFT_REG_1, base, offset, length })
    },
  }
}

/** A field of the IPv4 or IPv6 header. */
export function network<T>(
  protocol: 'ip' | 'ip6',
  field: string,
  { offset, type }: { offset: number; type: ValueType<T> },
) {
  const need: Place['need'] = (rule, who) => rule.needNetwork(protocol, who)
  return payload(`${protocol} ${field}`, type, { base: 'network', offset, need })
}

/** A field of the header after it. */
export function transport<T>(
  protocol: string,
  field: string,
  { offset, type }: { offset: number; type: ValueType<T> },
) {
  const need: Place['need'] = (rule, who) => {
    if (protocol === 'icmp') rule.needNetwork('ip', who)
    if (protocol === 'icmpv6') rule.needNetwork('ip6', who)
    if (protocol in protocolNumbers) rule.needTransport(protocol, who)
  }
  return payload(`${protocol} ${field}`, type, { base: 'transport', offset, need })
}

export function ethernet<T>(field: string, { offset, type }: { offset: number; type: ValueType<T> }) {
  return payload(`ether ${field}`, type, { base: 'link', offset, need: rule => rule.needEthernet() })
}

/** What the routing table says of an address. */
export function addressType(which: 'saddr' | 'daddr'): Field<number | 'local' | 'unicast' | 'broadcast'> {
  const flags = which === 'saddr' ? NFT_FIB_F_SADDR : NFT_FIB_F_DADDR
  const load = (rule: Draft) => rule.add({ kind: 'fib', flags, result: 'type', destination: NFT_REG_1 })
  return { name: `fib ${which} type`, type: types.fib_addrtype as ValueType<number | 'local'>, load }
}

/** A number of its own for every packet, from `offset` on: in turn, or at random. */
export function numgen(mode: 'inc' | 'random', modulus: number, offset = 0): Field<number> {
  const load = (rule: Draft) => rule.add({ kind: 'numgen', destination: NFT_REG_1, modulus, mode, offset })
  return { name: `numgen ${mode} mod ${modulus}`, type: types.integer, load }
}

export const knowsTransport = {
  know: (rule: Draft, value: Uint8Array) => rule.knowTransport(value[0]!, 'protocol'),
  protocols: true,
} as const
