import { badValue } from '../errors.ts'
import type { Verdict } from '../rule/actions.ts'
import type { Draft, Statement } from '../rule/draft.ts'
import { loadField } from '../rule/fields.ts'
import { turn } from '../rule/match.ts'
import type { Matcher } from '../rule/vocabulary.ts'
import { take } from '../takes.ts'
import type { ValueType } from '../values.ts'
import { type Expression, NFT_REG_1, NFT_REG_VERDICT, type ObjectType } from '../wire/index.ts'
import { hasWide, type Piece, setElements } from './elements.ts'
import type { MapData } from './shape.ts'
import { type Range, type SetRef, spanOf, valueText } from './span.ts'

/** Keys with their values, or a named map of the same table. */
export type Entries<T, V> = readonly (readonly [T | Range<T>, V])[] | SetRef

/** Chooses a verdict by one lookup for many cases. `tcp dport vmap { 22: accept, 80: jump web }` */
export function verdictMap<T>(matcher: Matcher<T>, entries: Entries<T, Verdict>): Statement {
  take('build verdict map', matcher, ['field', 'matcher'])
  take('build verdict map', entries, ['VerdictEntries', 'entries'])
  const { field } = matcher
  return {
    text: `${field.name} vmap ${entriesText(entries)}`,
    write(rule) {
      loadField(rule, field)
      const data = (verdict: Verdict) => ({ data: { verdict: verdict.verdict } })
      const found = mapOf(rule, { name: field.name, key: field.type, value: 'verdict', entries, data })
      lookUp(rule, NFT_REG_VERDICT, found)
    },
  }
}

/** A value from a map: an address to translate to, a mark, an object. */
export interface Mapped<V = string> {
  readonly text: string
  /** Loads it into register 1. */
  load(rule: Draft, type: ValueType<V>): void
  /** Uses the object of that name. */
  refer(rule: Draft, type: ObjectType): void
}

/** What a map can lead to: an address, a mark, an object's name; an address with a port. */
type MapValue = string | number | readonly [address: string, port: number]

/** `numgen inc mod 2 map { 0: 10.0.0.1, 1: 10.0.0.2 }` */
export function map<T>(matcher: Matcher<T>, entries: SetRef): Mapped<never>
export function map<T>(matcher: Matcher<T>, entries: Entries<T, string>): Mapped
export function map<T>(matcher: Matcher<T>, entries: Entries<T, number>): Mapped<number>
export function map<T>(
  matcher: Matcher<T>,
  entries: Entries<T, readonly [address: string, port: number]>,
): Mapped<readonly [address: string, port: number]>
export function map<T>(matcher: Matcher<T>, entries: Entries<T, MapValue>): Mapped<MapValue> {
  take('build map', matcher, ['field', 'matcher'])
  take('build map', entries, ['Entries', 'entries'])
  const { field } = matcher
  return {
    text: `${field.name} map ${entriesText(entries)}`,
    load(rule, type) {
      loadField(rule, field)
      const data = (value: MapValue) => ({ data: { value: type.span(value).from } })
      const found = mapOf(rule, { name: field.name, key: field.type, value: type, entries, data })
      lookUp(rule, NFT_REG_1, found)
    },
    refer(rule, type) {
      loadField(rule, field)
      const data = (name: MapValue) => ({ about: { object: `${name}` } })
      const found = mapOf(rule, { name: field.name, key: field.type, value: type, entries, data })
      rule.add({ kind: 'objref', source: NFT_REG_1, ...found })
    },
  }
}

interface Table<T, V> {
  /** Of the field. */
  readonly name: string
  readonly key: ValueType<T>
  readonly value: MapData
  readonly entries: Entries<T, V>
  data(value: V): Omit<Piece, 'span'>
}

/** A map of these entries, or the named one. */
function mapOf<T, V>(
  rule: Draft,
  { name, key, value, entries, data }: Table<T, V>,
): { set: string; setId?: number } {
  if ('set' in entries) {
    const found = rule.findSet(entries.set, { type: key, data: value }, name)
    if (found) turn(rule, found)
    return { set: entries.set }
  }
  if (entries.length === 0) throw badValue(key.name, 'a map needs at least one entry')
  const pieces: Piece[] = entries.map(([from, to]) => ({ span: spanOf(key, from), ...data(to) }))
  const shape = { type: key, interval: hasWide(pieces), data: value }
  turn(rule, shape)
  const elements = setElements(shape, pieces, { merge: true, leading: true })
  return rule.addSet({ ...shape, elements })
}

function lookUp(rule: Draft, destination: number, map: { set: string; setId?: number }): void {
  const lookup: Expression = { kind: 'lookup', source: NFT_REG_1, destination, ...map }
  rule.add(lookup)
}

function entriesText<T, V>(entries: Entries<T, V>): string {
  if ('set' in entries) return `@${entries.set}`
  const text = (value: unknown) =>
    typeof value === 'object' && value !== null && 'text' in value ? value.text : valueText(value)
  return `{ ${entries.map(([from, to]) => `${valueText(from)} : ${text(to)}`).join(', ')} }`
}
