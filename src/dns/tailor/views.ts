import { Names } from '../names/names.ts'
import type { OwnEntry } from '../types.ts'
import { askerPattern } from './pattern.ts'

/** Names that only some askers see. */
interface View {
  readonly isAsker: (address: string) => boolean
  readonly names: Names
}

/** Special names are those of the forwarder itself: a view has only its own records. */
const everything = ['localhost', 'invalid', 'onion', 'in-addr.arpa', 'ip6.arpa']
/** How many addresses are remembered with their views. */
const mostKnown = 4096

/** The records that are for some askers alone. It is replaced, never changed. */
export class Views {
  readonly #views: readonly View[]
  readonly #known = new Map<string, readonly Names[]>()

  constructor(entries: readonly OwnEntry[]) {
    const groups = new Map<string, OwnEntry[]>()
    for (const entry of entries) {
      const { askers } = entry
      if (!askers) continue
      const group = groups.get(askers.join()) ?? []
      groups.set(askers.join(), [...group, entry])
    }
    this.#views = [...groups.values()].map(group => ({
      isAsker: askerPattern(group[0]!.askers!),
      names: new Names([{ hosts: [], records: group.map(({ askers: _, ...entry }) => entry) }], everything),
    }))
  }

  get size(): number {
    return this.#views.length
  }

  /** The names for this asker, those that were given first at first. */
  for(address: string): readonly Names[] {
    const known = this.#known.get(address)
    if (known) return known
    const found = this.#views.filter(({ isAsker }) => isAsker(address)).map(({ names }) => names)
    if (this.#known.size >= mostKnown) this.#known.clear()
    this.#known.set(address, found)
    return found
  }
}
