import { buildAtOnce, datagramOf, NLM_F_ACK, type Request } from '../netlink/index.ts'
import { ChainChanges } from './chains.ts'
import { FlowtableChanges } from './object/flowtables.ts'
import { ObjectChanges } from './object/objects.ts'
import { type Building, framed, type Make } from './operation.ts'
import { RuleChanges } from './rule/rules.ts'
import { setText } from './set/make.ts'
import { SetChanges } from './set/sets.ts'
import type { SetShape } from './set/shape.ts'
import type { NamedSet } from './set/spec.ts'
import { TableChanges } from './tables.ts'

/** The contents of a transaction. Its calls only record changes. */
export interface Transaction {
  readonly tables: TableChanges
  readonly chains: ChainChanges
  readonly rules: RuleChanges
  readonly sets: SetChanges
  readonly objects: ObjectChanges
  readonly flowtables: FlowtableChanges
}

/** The messages of a transaction, in order, and the sets that it uses without making them. */
export interface Planned {
  readonly requests: Request[]
  readonly unknown: readonly NamedSet[]
}

/** Makes the messages. `known` are the sets that were there before it. */
export type Plan = (known?: KnownSets) => Planned

/** Records the changes. Pure. */
export function planOf(build: (transaction: Transaction) => void): Plan {
  const makes: Make[] = []
  const sink = (make: Make) => void makes.push(make)
  const transaction: Transaction = {
    tables: new TableChanges(sink),
    chains: new ChainChanges(sink),
    rules: new RuleChanges(sink),
    sets: new SetChanges(sink),
    objects: new ObjectChanges(sink),
    flowtables: new FlowtableChanges(sink),
  }
  buildAtOnce(build, transaction, 'nft transaction')
  return (known = new KnownSets()) => {
    const building = new Sets(known)
    return { requests: makes.flatMap(make => make(building)), unknown: building.unknown }
  }
}

/** Sets by table and name. */
export class KnownSets {
  readonly #shapes = new Map<string, SetShape>()

  add(ref: NamedSet, shape: SetShape): void {
    this.#shapes.set(setText(ref), shape)
  }

  get(ref: NamedSet): SetShape | undefined {
    return this.#shapes.get(setText(ref))
  }

  remove(ref: NamedSet): void {
    this.#shapes.delete(setText(ref))
  }
}

class Sets implements Building {
  readonly #known: KnownSets
  readonly #made = new KnownSets()
  readonly unknown: NamedSet[] = []
  #ids = 0

  constructor(known: KnownSets) {
    this.#known = known
  }

  nextId(): number {
    return ++this.#ids
  }

  define(ref: NamedSet, shape: SetShape): void {
    this.#made.add(ref, shape)
  }

  find(ref: NamedSet): SetShape | undefined {
    const found = this.#made.get(ref) ?? this.#known.get(ref)
    if (!found && !this.unknown.some(each => setText(each) === setText(ref))) this.unknown.push(ref)
    return found
  }
}

/**
 * A transaction as one datagram, for the kernel of another machine. The last change requests an
 * acknowledgement, which comes after the whole is decided. Pure.
 */
export function transactionBytes(build: (transaction: Transaction) => void): Uint8Array {
  const { requests } = planOf(build)()
  return datagramOf(framed(acknowledged(requests), { op: 'nft transaction' }))
}

/** Requests an answer to the last change. It comes when the whole is applied or rolled back. */
export function acknowledged(requests: readonly Request[]): Request[] {
  const last = requests.length - 1
  return requests.map((request, at) =>
    at === last ? { ...request, flags: (request.flags ?? 0) | NLM_F_ACK } : request,
  )
}
