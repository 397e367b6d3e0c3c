import { NLM_F_CREATE, request } from '../../netlink/index.ts'
import { badValue } from '../errors.ts'
import { refText, type TableRef } from '../names.ts'
import { inFamily, type Sink } from '../operation.ts'
import type { Verdict } from '../rule/actions.ts'
import { types, type ValueType } from '../values.ts'
import * as wire from '../wire/index.ts'
import { intervalElements, type Piece, plainElements } from './elements.ts'
import { elementRequests, newSet } from './requests.ts'
import { isWide, type Range, spanOf } from './span.ts'

/** The types of set values, by nft's names. */
export type SetType = keyof typeof types
/** The TypeScript type of such values. */
export type ValueIn<K extends SetType> = (typeof types)[K] extends ValueType<infer T> ? T : never

/** A set or map by its name. */
export interface NamedSet {
  readonly table: TableRef
  readonly name: string
}

interface Kind<K extends SetType> extends NamedSet {
  readonly type: K
  /** The set can hold ranges and prefixes. */
  readonly interval?: boolean
}

export interface SetSpec<K extends SetType> extends Kind<K> {
  /** The most elements that it can hold. */
  readonly size?: number
  readonly elements?: readonly (ValueIn<K> | Range<ValueIn<K>>)[]
}

/** A map: its elements lead to a verdict or a value. */
export interface MapSpec<K extends SetType, V extends SetType | 'verdict'> extends Kind<K> {
  readonly to: V
  readonly size?: number
  readonly elements?: readonly MapEntry<K, V>[]
}

type MapEntry<K extends SetType, V extends SetType | 'verdict'> = readonly [
  key: ValueIn<K> | Range<ValueIn<K>>,
  value: V extends SetType ? ValueIn<V> : Verdict,
]

/** Changes of sets and maps. */
export class SetChanges {
  readonly #sink: Sink

  constructor(sink: Sink) {
    this.#sink = sink
  }

  /** Adds a set. One that exists gets the elements. `nft add set <family> <table> <name> { … }` */
  add<K extends SetType>(spec: SetSpec<K>): void {
    const { size, elements = [] } = spec
    this.#make('add set', { set: spec, size, pieces: piecesOf(spec.type, elements) })
  }

  /** Adds a map. `nft add map <family> <table> <name> { type <type> : <to>; … }` */
  addMap<K extends SetType, V extends SetType | 'verdict'>(spec: MapSpec<K, V>): void {
    const { size, to } = spec
    this.#make('add map', { set: spec, to, size, pieces: entriesOf(spec) })
  }

  /** `nft add element <family> <table> <set> { … }` */
  addElements<K extends SetType>(spec: Kind<K> & Required<Pick<SetSpec<K>, 'elements'>>): void {
    const doing = { type: wire.NFT_MSG_NEWSETELEM, flags: NLM_F_CREATE, op: 'add elements' }
    this.#elements(spec, piecesOf(spec.type, spec.elements), doing)
  }

  /** `nft delete element <family> <table> <set> { … }` */
  removeElements<K extends SetType>(spec: Kind<K> & Required<Pick<SetSpec<K>, 'elements'>>): void {
    const doing = { type: wire.NFT_MSG_DELSETELEM, op: 'delete elements' }
    this.#elements(spec, piecesOf(spec.type, spec.elements), doing)
  }

  /** Removes a set or map that no rule uses. `nft delete set <family> <table> <name>` */
  remove(ref: NamedSet): void {
    const about = { type: wire.NFT_MSG_DELSET, op: 'delete set', target: setText(ref) }
    const value = inFamily(ref.table.family, { table: ref.table.name, name: ref.name })
    this.#sink(() => [request(wire.setMessage, value, about)])
  }

  /** Removes all elements. `nft flush set <family> <table> <name>` */
  flush(ref: NamedSet): void {
    const about = { type: wire.NFT_MSG_DELSETELEM, op: 'flush set', target: setText(ref) }
    const value = inFamily(ref.table.family, { table: ref.table.name, set: ref.name })
    this.#sink(() => [request(wire.elementsMessage, value, about)])
  }

  #make(op: string, { set, to, size, pieces }: ToMake): void {
    const { table, name, interval = false } = set
    const type: ValueType<unknown> = types[set.type]
    const data = to === undefined || to === 'verdict' ? to : types[to]
    const doing = { op, target: setText(set) }
    const elements = elementsOf(set, pieces, true)
    this.#sink(nextId => {
      const id = nextId()
      const made = { name, id, type, flags: 0, interval, ...(data && { data }), ...(size && { size }) }
      const about = { ...doing, type: wire.NFT_MSG_NEWSETELEM, flags: NLM_F_CREATE }
      return [
        newSet(table, made, doing),
        ...elementRequests(table, { set: name, setId: id, elements }, about),
      ]
    })
  }

  #elements(
    set: Kind<SetType>,
    pieces: readonly Piece[],
    doing: { op: string; type: number; flags?: number },
  ) {
    const elements = elementsOf(set, pieces, doing.type === wire.NFT_MSG_NEWSETELEM)
    const about = { ...doing, target: setText(set) }
    this.#sink(() => elementRequests(set.table, { set: set.name, elements }, about))
  }
}

interface ToMake {
  readonly set: Kind<SetType>
  readonly to?: SetType | 'verdict'
  readonly size?: number | undefined
  readonly pieces: readonly Piece[]
}

const setText = ({ table, name }: NamedSet): string => `${refText(table)} ${name}`

function elementsOf(set: Kind<SetType>, pieces: readonly Piece[], leading: boolean): wire.WireElement[] {
  const type: ValueType<unknown> = types[set.type]
  if (set.interval) return intervalElements(type, pieces, { merge: false, leading })
  if (pieces.some(({ span }) => isWide(span)))
    throw badValue(setText(set), 'ranges and prefixes need a set with `interval: true`')
  return plainElements(type, pieces)
}

function piecesOf<K extends SetType>(
  type: K,
  elements: readonly (ValueIn<K> | Range<ValueIn<K>>)[],
): Piece[] {
  return elements.map(element => ({ span: spanOf<unknown>(types[type], element) }))
}

function entriesOf<K extends SetType, V extends SetType | 'verdict'>({
  type,
  to,
  elements,
}: MapSpec<K, V>): Piece[] {
  return (elements ?? []).map(([key, value]) => ({
    span: spanOf<unknown>(types[type], key),
    data:
      to === 'verdict'
        ? { verdict: (value as Verdict).verdict }
        : { value: bytesOf(types[to as SetType], value) },
  }))
}

function bytesOf(type: ValueType<unknown>, value: unknown): Uint8Array {
  return type.span(value).from
}
