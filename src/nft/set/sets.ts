import { NLM_F_CREATE, request } from '../../netlink/index.ts'
import { inFamily, type RemoveOptions, type Sink } from '../operation.ts'
import { take } from '../takes.ts'
import * as wire from '../wire/index.ts'
import { setElements } from './elements.ts'
import { aboutSet, type Given, givenPieces, keysOf, mapData, setText, setToMake } from './make.ts'
import { elementRequests, setRequests } from './requests.ts'
import { checkSet } from './shape.ts'
import type { KeyType, MapEntry, MapSpec, MapTarget, NamedSet, SetKind, SetOptions, SetSpec } from './spec.ts'

/** Changes of sets and maps. */
export class SetChanges {
  readonly #sink: Sink

  constructor(sink: Sink) {
    this.#sink = sink
  }

  /** Adds a set. One that exists gets the elements. `nft add set <family> <table> <name> { … }` */
  add<const K extends KeyType>(spec: SetSpec<K>): void {
    this.#make('add set', take('add set', spec, 'SetSpec'))
  }

  /** Adds a map. `nft add map <family> <table> <name> { type <type> : <to>; … }` */
  addMap<const K extends KeyType, V extends MapTarget>(spec: MapSpec<K, V>): void {
    this.#make('add map', take('add map', spec, 'MapSpec'))
  }

  /** `nft add element <family> <table> <set> { … }` */
  addElements<const K extends KeyType>(spec: SetKind<K> & Required<Pick<SetSpec<K>, 'elements'>>): void {
    this.#elements('add elements', take('add elements', spec, 'SetElements'))
  }

  /** `nft add element <family> <table> <map> { <key> : <value>, … }` */
  addEntries<const K extends KeyType, V extends MapTarget>(
    spec: SetKind<K> & { readonly to: V; readonly elements: readonly MapEntry<K, V>[] },
  ): void {
    this.#elements('add elements', take('add elements', spec, 'MapEntries'))
  }

  /** `nft delete element <family> <table> <set> { … }` */
  removeElements<const K extends KeyType>(
    spec: SetKind<K> & Required<Pick<SetSpec<K>, 'elements'>>,
    options: RemoveOptions = {},
  ): void {
    const { ifExists = false } = take('delete elements', options, 'RemoveOptions')
    take('delete elements', spec, 'SetElements')
    this.#elements('delete elements', spec, ifExists ? wire.NFT_MSG_DESTROYSETELEM : wire.NFT_MSG_DELSETELEM)
  }

  /** Removes a set or map that no rule uses. `nft delete set <family> <table> <name>` */
  remove(ref: NamedSet, options: RemoveOptions = {}): void {
    take('delete set', ref, 'NamedSet')
    const { ifExists = false } = take('delete set', options, 'RemoveOptions')
    const type = ifExists ? wire.NFT_MSG_DESTROYSET : wire.NFT_MSG_DELSET
    const about = { type, op: 'delete set', target: setText(ref) }
    const value = inFamily(ref.table.family, { table: ref.table.name, name: ref.name })
    this.#sink(() => [request(wire.setMessage, value, about)])
  }

  /** Removes all elements. `nft flush set <family> <table> <name>` */
  flush(ref: NamedSet): void {
    take('flush set', ref, 'NamedSet')
    const about = { type: wire.NFT_MSG_DELSETELEM, op: 'flush set', target: setText(ref) }
    const value = inFamily(ref.table.family, { set: ref.name, table: ref.table.name })
    this.#sink(() => [request(wire.elementsMessage, value, about)])
  }

  #make(op: string, spec: Described): void {
    const elements = this.#wire(op, spec, true)
    const described = aboutSet(op, spec, () => setToMake(spec))
    const doing = { op, target: setText(spec) }
    this.#sink(building => {
      const size = described.size ?? (spec.constant ? elements.length : undefined)
      const made = { ...described, size, id: building.nextId() }
      building.define(spec, made)
      return setRequests(spec.table, { ...made, elements }, doing)
    })
  }

  #elements(op: string, spec: Described, type: number = wire.NFT_MSG_NEWSETELEM): void {
    const adding = type === wire.NFT_MSG_NEWSETELEM
    const elements = this.#wire(op, spec, adding)
    const doing = { type, op, target: setText(spec), ...(adding && { flags: NLM_F_CREATE }) }
    this.#sink(building => {
      const found = building.find(spec)
      const wanted = { ...keysOf(spec), ...(spec.to && { data: mapData(spec.to) }), what: 'the element' }
      if (found) aboutSet(op, spec, () => checkSet(spec.name, found, wanted))
      return elementRequests(spec.table, { set: spec.name, elements }, doing)
    })
  }

  #wire(op: string, spec: Described, leading: boolean): wire.WireElement[] {
    const { elements = [], to } = spec
    return aboutSet(op, spec, () => {
      const pieces = givenPieces(spec, elements, to === undefined ? undefined : mapData(to))
      return setElements(keysOf(spec), pieces, { merge: false, leading })
    })
  }
}

type Described = SetKind<KeyType> &
  SetOptions & {
    readonly elements?: readonly Given[]
    readonly to?: MapTarget
    readonly ranges?: boolean
  }
