import { badValue } from '../errors.ts'
import { setElements } from '../set/elements.ts'
import type { SetShape } from '../set/shape.ts'
import {
  allBits,
  isSet,
  isWide,
  padded,
  type SetRef,
  spanOf,
  turned,
  turns,
  type Value,
  valueText,
} from '../set/span.ts'
import { take } from '../takes.ts'
import type { Span, ValueType } from '../values.ts'
import { type Expression, NFT_LOOKUP_F_INV, NFT_REG_1 } from '../wire/index.ts'
import { type Draft, equal, type Statement } from './draft.ts'
import { type Field, loadField } from './fields.ts'
import { registerAt } from './registers.ts'

/** Compares a field with values. It matches any of them or, negated by {@link not}, none. */
export class Match<T> implements Statement {
  readonly #field: Field<T>
  readonly #values: readonly Value<T>[]
  readonly negated: boolean

  constructor(field: Field<T>, values: readonly Value<T>[], negated = false) {
    this.#field = field
    this.#values = values
    this.negated = negated
    if (values.length === 0) throw badValue(field.name, 'a match needs at least one value')
  }

  get text(): string {
    const [first, ...more] = this.#values
    const values = more.length > 0 ? `{ ${this.#values.map(valueText).join(', ')} }` : valueText(first)
    return `${this.#field.name} ${this.negated ? '!= ' : ''}${values}`
  }

  not(): Match<T> {
    return new Match(this.#field, this.#values, !this.negated)
  }

  write(rule: Draft): void {
    const values = this.#values
    const [first] = values as [Value<T>]
    const plain = values.filter(value => typeof value !== 'object')
    if (values.length === 1 && isSet(first)) this.#lookUp(rule, first)
    else if (this.#field.type.parts) this.#oneOf(rule, values.map(this.#span, this))
    else if (this.#field.type.bits && plain.length === values.length) this.#anyBit(rule, plain as T[])
    else if (values.length === 1) this.#one(rule, this.#span(first))
    else this.#oneOf(rule, values.map(this.#span, this))
  }

  #span(value: Value<T>): Span {
    if (isSet(value)) throw badValue(this.text, 'a set cannot be combined with other values')
    return spanOf(this.#field.type, value)
  }

  /** `ct state established,related`: one of the bits is set. */
  #anyBit(rule: Draft, values: readonly T[]): void {
    const { type } = this.#field
    this.#load(rule)
    rule.add(masked(allBits(type, values)), equal(new Uint8Array(type.length), this.negated ? 'eq' : 'neq'))
  }

  #one(rule: Draft, span: Span): void {
    if (span.mask?.some(byte => byte !== 0xff)) this.#someBits(rule, span.from, span.mask)
    else if (isWide(span)) this.#between(rule, span)
    else {
      this.#load(rule)
      rule.add(equal(span.from, this.negated ? 'neq' : 'eq'))
      if (!this.negated) this.#field.know?.(rule, span.from)
    }
  }

  /** Loads only the bytes that a mask of whole bytes covers. */
  #someBits(rule: Draft, value: Uint8Array, mask: Uint8Array): void {
    const operation = this.negated ? 'neq' : 'eq'
    const bytes = mask.filter(byte => byte === 0xff).length
    const whole = bytes > 0 && mask.every((byte, at) => byte === (at < bytes ? 0xff : 0))
    if (this.#field.partial && whole) {
      loadField(rule, this.#field, bytes)
      rule.add(equal(value.subarray(0, bytes), operation))
    } else {
      this.#load(rule)
      rule.add(masked(mask), equal(value, operation))
    }
  }

  #between(rule: Draft, span: Span): void {
    const { type } = this.#field
    this.#load(rule)
    if (type.host) rule.add(inNetworkOrder(type.length))
    const [from, to] = [{ value: turned(type, span.from) }, { value: turned(type, span.to) }]
    if (this.negated) rule.add({ kind: 'range', source: NFT_REG_1, operation: 'neq', from, to })
    else
      rule.add(
        { kind: 'cmp', source: NFT_REG_1, operation: 'gte', data: from },
        { kind: 'cmp', source: NFT_REG_1, operation: 'lte', data: to },
      )
  }

  #oneOf(rule: Draft, spans: readonly Span[]): void {
    const { type, protocols } = this.#field
    this.#load(rule)
    const made = setOf(type, spans)
    turn(rule, made)
    rule.add(lookup(rule.addSet(made), this.negated))
    if (protocols && !this.negated) rule.knowTransport('one of some', this.text)
  }

  #lookUp(rule: Draft, { set }: SetRef): void {
    this.#load(rule)
    const { type, name } = this.#field
    const found = rule.findSet(set, { type }, name)
    if (found) turn(rule, found)
    rule.add(lookup({ set }, this.negated))
  }

  #load(rule: Draft): void {
    loadField(rule, this.#field)
  }
}

/** The negated match: none of the values. `tcp dport != { 22, 80 }` */
export function not<T>(match: Match<T>): Match<T> {
  take('negate', match, ['Match', 'match'])
  return match.not()
}

function setOf(type: ValueType<unknown>, spans: readonly Span[]) {
  const interval = spans.some(span => isWide(span) || span.from.length < type.length)
  if (spans.some(span => span.mask && !isWide(span) && span.mask.some(byte => byte !== 0xff)))
    throw badValue(type.name, 'bit masks cannot be in a set')
  const pieces = spans.map(span => ({ span }))
  const elements = setElements({ type, interval }, pieces, { merge: true, leading: true })
  return { type, interval, elements }
}

/** Turns a number in register 1 for a set with intervals, which stores it in network order. */
export function turn(rule: Draft, { type, interval }: SetShape): void {
  if (!interval) return
  let at = 0
  for (const part of type.parts ?? [type]) {
    if (turns(part)) rule.add(inNetworkOrder(part.length, registerAt(at)))
    at += padded(part.length)
  }
}

/** The kernel compares bytes from first to last, so values must be in network order. */
function inNetworkOrder(length: number, register: number = NFT_REG_1): Expression {
  const [source, destination] = [register, register]
  return { kind: 'byteorder', source, destination, operation: 'hton', length, size: length }
}

function masked(mask: Uint8Array): Expression {
  return {
    kind: 'bitwise',
    source: NFT_REG_1,
    destination: NFT_REG_1,
    length: mask.length,
    mask: { value: mask },
    xor: { value: new Uint8Array(mask.length) },
  }
}

function lookup({ set, setId }: { set: string; setId?: number }, negated: boolean): Expression {
  return {
    kind: 'lookup',
    source: NFT_REG_1,
    set,
    ...(setId !== undefined && { setId }),
    ...(negated && { flags: NFT_LOOKUP_F_INV }),
  }
}
