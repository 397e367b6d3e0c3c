import { badValue, errorAbout } from '../errors.ts'
import { refText } from '../names.ts'
import type { Verdict } from '../rule/actions.ts'
import { Draft, type Statement } from '../rule/draft.ts'
import { take } from '../takes.ts'
import { types } from '../types.ts'
import { commentData } from '../user-data.ts'
import { milliseconds, type ValueType } from '../values.ts'
import * as wire from '../wire/index.ts'
import { concatenation } from './concat.ts'
import { type About, hasWide, type Keys, type Piece } from './elements.ts'
import type { SetToMake } from './requests.ts'
import { isObject, type MapData } from './shape.ts'
import { spanOf } from './span.ts'
import type { ElementOptions, KeyType, MapTarget, NamedSet, SetKind, SetOptions } from './spec.ts'

export const setText = ({ table, name }: NamedSet): string => `${refText(table)} ${name}`

/** How the values of this type are stored. */
export function keyType(type: KeyType): ValueType<unknown> {
  if (typeof type === 'string') return types[type]
  if (type.length < 2) throw badValue('type', 'a concatenation has at least two types')
  return concatenation(type.map(each => types[each]))
}

export function mapData(to: MapTarget): MapData {
  return Object.hasOwn(types, to) ? types[to as keyof typeof types] : (to as MapData)
}

export const keysOf = ({ type, interval = false }: SetKind<KeyType>): Keys => ({
  type: keyType(type),
  interval,
})

/** Elements as they are given: keys alone, pairs of a map, or either with options. */
export type Given = unknown

interface Parts extends ElementOptions {
  readonly key: unknown
  readonly value?: unknown
}

const isParts = (given: Given): given is Parts =>
  typeof given === 'object' && given !== null && 'key' in given

function partsOf(given: Given, isMap: boolean): Parts {
  if (isParts(given)) return given
  if (!isMap) return { key: given }
  const [key, value] = given as readonly [unknown, unknown]
  return { key, value }
}

/** The elements of a set, or of a map of `data`. */
export function givenPieces(
  set: SetKind<KeyType> & { readonly ranges?: boolean },
  given: readonly Given[],
  data?: MapData,
): Piece[] {
  const { type, interval } = keysOf(set)
  const { ranges = false } = set
  const pieces = given.map(one => {
    const { key, value, ...options } = partsOf(one, data !== undefined)
    const about = aboutOf(options, data && isObject(data) ? `${value}` : undefined)
    return {
      span: key === '*' ? undefined : spanOf(type, key),
      ...(value !== undefined && data !== undefined && dataOf(data, value, ranges)),
      ...(about && { about }),
    }
  })
  if (!interval && hasWide(pieces))
    throw badValue(setText(set), 'ranges and prefixes need a set with `interval: true`')
  return pieces
}

function dataOf(data: MapData, value: unknown, ranges: boolean): { data?: wire.Data } {
  if (data === 'verdict')
    return { data: { verdict: take('build element', value as Verdict, ['Verdict', 'value']).verdict } }
  if (typeof data === 'string') return {}
  const { from, to } = spanOf(data, value)
  return { data: { value: ranges ? Uint8Array.of(...from, ...to) : from } }
}

function aboutOf(
  { timeoutMs, expiresMs, comment, statements }: ElementOptions,
  object: string | undefined,
): About | undefined {
  const [first, ...more] = statefulOf(statements)
  const about: About = {
    ...(timeoutMs !== undefined && { timeout: milliseconds('timeoutMs', timeoutMs) }),
    ...(expiresMs !== undefined && { expiration: milliseconds('expiresMs', expiresMs) }),
    ...(comment !== undefined && { userData: commentData(comment) }),
    ...(object !== undefined && { object }),
    ...(first && more.length === 0 && { expression: first }),
    ...(first && more.length > 0 && { expressions: [first, ...more] }),
  }
  return Object.keys(about).length > 0 ? about : undefined
}

const statefulKinds = ['counter', 'limit', 'quota', 'connlimit', 'last']

/** Statements that keep a state: for each element of a set. */
export function statefulOf(statements: readonly Statement[] = []): wire.StatefulExpression[] {
  take('build element', statements, ['statements', 'statements'])
  return statements.flatMap(statement => {
    const { expressions } = written(statement)
    if (expressions.every(({ kind }) => statefulKinds.includes(kind)))
      return expressions as wire.StatefulExpression[]
    throw badValue('element', `${statement.text} has no state that an element could keep`)
  })
}

function written(statement: Statement): Draft {
  const draft = new Draft('inet')
  statement.write(draft)
  return draft
}

/** What a spec says about the set itself. */
export function setToMake(
  set: SetKind<KeyType> & SetOptions & { readonly to?: MapTarget; readonly ranges?: boolean },
): Omit<SetToMake, 'id'> {
  const { name, size, policy, timeoutMs, gcIntervalMs, comment, autoMerge, ranges, to } = set
  return {
    ...keysOf(set),
    ...{ name, size, policy, timeoutMs, gcIntervalMs },
    flags:
      (set.timeouts ? wire.NFT_SET_TIMEOUT : 0) |
      (set.dynamic ? wire.NFT_SET_EVAL : 0) |
      (set.constant ? wire.NFT_SET_CONSTANT : 0),
    ...(to !== undefined && { data: mapData(to) }),
    expressions: statefulOf(set.statements),
    notes: {
      ...(comment !== undefined && { comment }),
      ...(autoMerge && { autoMerge }),
      ...(ranges && { ranges }),
    },
  }
}

/** The same refusal about a set by its name. */
export function aboutSet<T>(op: string, ref: NamedSet, make: () => T): T {
  try {
    return make()
  } catch (failure) {
    throw errorAbout({ op, target: setText(ref) }, failure)
  }
}
