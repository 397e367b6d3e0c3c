import { protocolNumbers } from '../names.ts'
import { types } from '../types.ts'
import type { ValueType } from '../values.ts'
import type { Expression } from '../wire/index.ts'
import type { numgenModes } from '../words.ts'
import type { Draft } from './draft.ts'
import { largeRegister, registerAt } from './registers.ts'

/** A field of a packet that a rule can match. */
export interface Field<T> {
  /** nft's spelling: `ip saddr`. */
  readonly name: string
  readonly type: ValueType<T>
  /** True when its first bytes can be loaded without the others. */
  readonly partial?: true
  /** Adds the check that the packet has the field. */
  need?(rule: Draft): void
  /** Loads the field, or its first `length` bytes, into the registers from this byte on. */
  load(rule: Draft, length: number, at: number): void
  /** Records what a packet with this value is known to be. */
  know?(rule: Draft, value: Uint8Array): void
  /** The value is one of several protocols. */
  readonly protocols?: true
}

type Load = Field<unknown>['load']
type MetaKey = Extract<Expression, { kind: 'meta' }>['key'] & string
type CtKey = Extract<Expression, { kind: 'ct' }>['key'] & string

/** Loads a whole field into the first registers, after the check that the packet has it. */
export function loadField<T>(rule: Draft, field: Field<T>, length = field.type.length): void {
  field.need?.(rule)
  field.load(rule, length, 0)
}

export function meta<T>(key: MetaKey, type: ValueType<T>, rest: Partial<Field<T>> = {}): Field<T> {
  const load: Load = (rule, _, at) => rule.add({ kind: 'meta', key, destination: registerAt(at) })
  return { name: `meta ${key}`, type, load, ...rest }
}

/** Of both directions, or of one: those fields have the words of its packets. */
export function ct<T>(key: CtKey, type: ValueType<T>, direction?: 'original' | 'reply'): Field<T> {
  const way = direction === undefined ? {} : { direction: direction === 'original' ? 0 : 1 }
  const load: Load = (rule, _, at) => rule.add({ kind: 'ct', key, destination: registerAt(at), ...way })
  return { name: direction === undefined ? `ct ${key}` : `ct ${direction} ${key}`, type, load }
}

/** The socket to which the packet belongs. */
export function socket<T>(key: 'transparent' | 'mark' | 'wildcard', type: ValueType<T>): Field<T> {
  const load: Load = (rule, _, at) => rule.add({ kind: 'socket', key, destination: registerAt(at), level: 0 })
  return { name: `socket ${key}`, type, load }
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
    need: rule => need(rule, name),
    load: (rule, length, at) =>
      rule.add({ kind: 'payload', destination: registerAt(at), base, offset, length }),
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

/** NFTA_FIB_F_*: what a route is looked up by. */
const fibParts = { saddr: 1, daddr: 2, mark: 4, iif: 8, oif: 16 }
const fibPresent = 32
export type FibPart = keyof typeof fibParts

const fibResults = {
  type: types.fib_addrtype,
  oif: types.iface_index,
  oifname: types.ifname,
  /** Whether there is a route: 1 or 0. */
  exists: types.iface_index,
}
export type FibResult = keyof typeof fibResults

/** A look-up in the routing table. `fib saddr . iif oif` */
export function fib<R extends FibResult>(
  by: readonly FibPart[],
  result: R,
): Field<(typeof fibResults)[R] extends ValueType<infer T> ? T : never> {
  const flags = by.reduce((all, part) => all | fibParts[part], result === 'exists' ? fibPresent : 0)
  const loaded: Exclude<FibResult, 'exists'> = result === 'exists' ? 'oif' : result
  const load: Load = (rule, _, at) =>
    rule.add({ kind: 'fib', flags, result: loaded, destination: registerAt(at) })
  return { name: `fib ${by.join(' . ')} ${result}`, type: fibResults[result] as ValueType<never>, load }
}

export interface Hash {
  readonly modulus: number
  readonly seed?: number
  readonly offset?: number
}

/** A number below `modulus` that depends on a field alone, so that equal packets get equal ones. */
export function jhash(of: Field<unknown>, { modulus, seed, offset = 0 }: Hash): Field<number> {
  return {
    name: `jhash ${of.name} mod ${modulus}`,
    type: types.integer,
    need: rule => of.need?.(rule),
    load(rule, _, at) {
      of.load(rule, of.type.length, at + largeRegister)
      const [source, destination] = [registerAt(at + largeRegister), registerAt(at)]
      const more = { ...(seed !== undefined && { seed }), offset, type: 'jhash' as const }
      rule.add({ kind: 'hash', source, destination, length: of.type.length, modulus, ...more })
    },
  }
}

/** The same number for both directions of a connection. */
export function symhash({ modulus, offset = 0 }: Omit<Hash, 'seed'>): Field<number> {
  const load: Load = (rule, _, at) =>
    rule.add({ kind: 'hash', destination: registerAt(at), modulus, offset, type: 'symhash' })
  return { name: `symhash mod ${modulus}`, type: types.integer, load }
}

/** A new number for every packet, from `offset` on: incrementing or random. */
export function numgen(mode: (typeof numgenModes)[number], modulus: number, offset = 0): Field<number> {
  const load: Load = (rule, _, at) =>
    rule.add({ kind: 'numgen', destination: registerAt(at), modulus, mode, offset })
  return { name: `numgen ${mode} mod ${modulus}`, type: types.integer, load }
}

export const knowsTransport = {
  know: (rule: Draft, value: Uint8Array) => rule.knowTransport(value[0]!, 'protocol'),
  protocols: true,
} as const
