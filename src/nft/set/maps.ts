import { badValue } from '../errors.ts'
import type { Verdict } from '../rule/actions.ts'
import type { Draft, Statement } from '../rule/draft.ts'
import type { Matcher } from '../rule/vocabulary.ts'
import type { ValueType } from '../values.ts'
import { type Data, type Expression, NFT_REG_1, NFT_REG_VERDICT } from '../wire/index.ts'
import { intervalElements, type Piece, plainElements } from './elements.ts'
import { isWide, type Range, type SetRef, spanOf, valueText } from './span.ts'

/** Keys with their values, or a named map of the same table. */
export type Entries<T, V> = readonly (readonly [T | Range<T>, V])[] | SetRef

/** Chooses a verdict by one lookup for many cases. `tcp dport vmap { 22: accept, 80: jump web }` */
export function verdictMap<T>(matcher: Matcher<T>, entries: Entries<T, Verdict>): Statement {
  const { field } = matcher
  return {
    text: `${field.name} vmap ${entriesText(entries)}`,
    write(rule) {
      field.load(rule, field.type.length)
      const data = (verdict: Verdict): Data => ({ verdict: verdict.verdict })
      lookUp(rule, NFT_REG_VERDICT, mapOf(rule, { key: field.type, value: 'verdict', entries, data }))
    },
  }
}

/** A value from a map: the address to translate to. */
export interface Mapped {
  readonly text: string
  /** Loads it into register 1. */
  load(rule: Draft, type: ValueType<string>): void
}

/** `numgen inc mod 2 map { 0: 10.0.0.1, 1: 10.0.0.2 }` */
export function map<T>(matcher: Matcher<T>, entries: Entries<T, string>): Mapped {
  const { field } = matcher
  return {
    text: `${field.name} map ${entriesText(entries)}`,
    load(rule, type) {
      field.load(rule, field.type.length)
      const data = (value: string): Data => ({ value: type.span(value).from })
      lookUp(rule, NFT_REG_1, mapOf(rule, { key: field.type, value: type, entries, data }))
    },
  }
}

interface Table<T, V> {
  readonly key: ValueType<T>
  readonly value: ValueType<unknown> | 'verdict'
  readonly entries: Entries<T, V>
  data(value: V): Data
}

function mapOf<T, V>(
  rule: Draft,
  { key, value, entries, data }: Table<T, V>,
): { set: string; setId?: number } {
  if ('set' in entries) return { set: entries.set }
  if (entries.length === 0) throw badValue(key.name, 'a map needs at least one entry')
  const pieces: Piece[] = entries.map(([from, to]) => ({ span: spanOf(key, from), data: data(to) }))
  const interval = pieces.some(({ span }) => isWide(span))
  const elements = interval
    ? intervalElements(key, pieces, { merge: true, leading: true })
    : plainElements(key, pieces)
  return rule.addSet({ type: key, interval, elements, data: value })
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
