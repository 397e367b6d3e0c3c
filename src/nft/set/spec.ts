import type { TableRef } from '../names.ts'
import type { Verdict } from '../rule/actions.ts'
import type { Statement } from '../rule/draft.ts'
import type { SetType, ValueIn } from '../types.ts'
import type { ObjectType } from '../wire/index.ts'
import type { setPolicies } from '../words.ts'
import type { Range } from './span.ts'

/** The type of a set's values: one, or several for a concatenation. */
export type KeyType = SetType | readonly SetType[]

/** A value of a set, or a range of them. For a concatenation an array of these. */
export type KeyIn<K extends KeyType> = K extends SetType
  ? ValueIn<K> | Range<ValueIn<K>>
  : K extends readonly SetType[]
    ? { readonly [I in keyof K]: K[I] extends SetType ? ValueIn<K[I]> | Range<ValueIn<K[I]>> : never }
    : never

/** A set or map by its name. */
export interface NamedSet {
  readonly table: TableRef
  readonly name: string
}

export interface ElementOptions {
  /** It is removed after this time, from when it was added or last updated. Default: the set's. */
  readonly timeoutMs?: number
  /** When it is removed the first time, if that is not the whole timeout. */
  readonly expiresMs?: number
  readonly comment?: string
  /** A `counter`, `limit` or `quota` of its own. */
  readonly statements?: readonly Statement[]
}

/** A value, or `'*'` for all values that no other element has. */
export type ElementKeyIn<K extends KeyType> = KeyIn<K> | '*'
/** An element of a set: a value alone, or one with options. */
export type SetElement<K extends KeyType> =
  | ElementKeyIn<K>
  | ({ readonly key: ElementKeyIn<K> } & ElementOptions)

/** What a map leads to: a value, a verdict, or an object by its name. */
export type MapTarget = SetType | 'verdict' | ObjectType
export type TargetIn<V extends MapTarget> = V extends SetType
  ? ValueIn<V> | Range<ValueIn<V>>
  : V extends 'verdict'
    ? Verdict
    : string

/** An element of a map: the key and what it leads to, alone or with options. */
export type MapEntry<K extends KeyType, V extends MapTarget> =
  | readonly [key: ElementKeyIn<K>, value: TargetIn<V>]
  | ({ readonly key: ElementKeyIn<K>; readonly value: TargetIn<V> } & ElementOptions)

export interface SetKind<K extends KeyType> extends NamedSet {
  readonly type: K
  /** The set can hold ranges and prefixes. */
  readonly interval?: boolean
}

interface SetOptions {
  /** The most elements that it can hold. */
  readonly size?: number
  /** Elements are removed after this time, unless they have a timeout of their own. */
  readonly timeoutMs?: number
  /** Elements can have timeouts. Default: when `timeoutMs` is given. */
  readonly timeouts?: boolean
  /** How often the kernel frees elements whose time is over. */
  readonly gcIntervalMs?: number
  /** Rules can add and remove elements. */
  readonly dynamic?: boolean
  /** It cannot be changed after it was made. */
  readonly constant?: boolean
  /** `memory` prefers a smaller set to a faster one. Default: `performance`. */
  readonly policy?: (typeof setPolicies)[number]
  /** nft merges adjacent intervals that it adds. The kernel does not. */
  readonly autoMerge?: boolean
  readonly comment?: string
  /** A `counter`, `limit` or `quota` for each element. */
  readonly statements?: readonly Statement[]
}

export interface SetSpec<K extends KeyType> extends SetKind<K>, SetOptions {
  readonly elements?: readonly SetElement<K>[]
}

/** A map: its elements lead to a verdict, a value or an object. */
export interface MapSpec<K extends KeyType, V extends MapTarget> extends SetKind<K>, SetOptions {
  readonly to: V
  /** The values are ranges, such as those of addresses to translate to. */
  readonly ranges?: boolean
  readonly elements?: readonly MapEntry<K, V>[]
}
export type { SetOptions }
