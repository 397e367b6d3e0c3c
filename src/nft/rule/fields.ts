import { protocolNumbers } from '../names.ts'
import { types, type ValueType } from '../values.ts'
import { type Expression, NFT_FIB_F_DADDR, NFT_FIB_F_SADDR, NFT_REG_1 } from '../wire/index.ts'
import type { Draft } from './draft.ts'

/** A field of a packet that a rule can match. */
export interface Field<T> {
  /** nft's spelling: `ip saddr`. */
  readonly name: string
  readonly type: ValueType<T>
  /** True when its first bytes can be loaded without the others. */
  readonly partial?: true
  /** Loads the field, or its first `length` bytes, into register 1, after a check that the packet has it. */
  load(rule: Draft, length: number): void
  /** Records what a packet with this value is known to be. */
  know?(rule: Draft, value: Uint8Array): void
  /** The value is one of several protocols. */
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
  /** Adds the check that the header exists. */
  readonly need: (rule: Draft, statement: string) => void
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
  const need: Place['need'] = (rule, statement) => rule.needNetwork(protocol, statement)
  return payload(`${protocol} ${field}`, type, { base: 'network', offset, need })
}

/** A field of the transport header. */
export function transport<T>(
  protocol: string,
  field: string,
  { offset, type }: { offset: number; type: ValueType<T> },
) {
  const need: Place['need'] = (rule, statement) => {
    if (protocol === 'icmp') rule.needNetwork('ip', statement)
    if (protocol === 'icmpv6') rule.needNetwork('ip6', statement)
    if (protocol in protocolNumbers) rule.needTransport(protocol, statement)
  }
  return payload(`${protocol} ${field}`, type, { base: 'transport', offset, need })
}

export function ethernet<T>(field: string, { offset, type }: { offset: number; type: ValueType<T> }) {
  return payload(`ether ${field}`, type, { base: 'link', offset, need: rule => rule.needEthernet() })
}

/** The type of the address in the routing table. */
export function addressType(which: 'saddr' | 'daddr'): Field<number | 'local' | 'unicast' | 'broadcast'> {
  const flags = which === 'saddr' ? NFT_FIB_F_SADDR : NFT_FIB_F_DADDR
  const load = (rule: Draft) => rule.add({ kind: 'fib', flags, result: 'type', destination: NFT_REG_1 })
  return { name: `fib ${which} type`, type: types.fib_addrtype as ValueType<number | 'local'>, load }
}

/** A new number for every packet, from `offset` on: incrementing or random. */
export function numgen(mode: 'inc' | 'random', modulus: number, offset = 0): Field<number> {
  const load = (rule: Draft) => rule.add({ kind: 'numgen', destination: NFT_REG_1, modulus, mode, offset })
  return { name: `numgen ${mode} mod ${modulus}`, type: types.integer, load }
}

export const knowsTransport = {
  know: (rule: Draft, value: Uint8Array) => rule.knowTransport(value[0]!, 'protocol'),
  protocols: true,
} as const
