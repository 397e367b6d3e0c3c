import { type Connection, type Message, request } from '../../netlink/index.ts'
import { resolve } from '../names.ts'
import type { LinkRef, Sink } from '../operation.ts'
import { take } from '../takes.ts'
import * as wire from '../wire/index.ts'
import { type NamesWanted, withNames } from '../with-names.ts'
import { type FdbEntry, type FdbSpec, fdbEntryOf, removeFdbEntry, setFdbEntry } from './fdb-entry.ts'

/** Changes of forwarding tables, each at once or in a batch. */
export class FdbChanges<Done> {
  readonly #sink: Sink<Done>

  constructor(sink: Sink<Done>) {
    this.#sink = sink
  }

  /** Adds an entry that does not exist. `bridge fdb add <mac> dev <link> [master|self] [static|dynamic]` */
  add(spec: FdbSpec): Done {
    return this.#sink(() => setFdbEntry(spec, 'add'))
  }

  /** Adds a peer to an address of a vxlan. `bridge fdb append <mac> dev <link> dst <remote>` */
  append(spec: FdbSpec): Done {
    return this.#sink(() => setFdbEntry(spec, 'append'))
  }

  /** Adds an entry, or moves the existing one. `bridge fdb replace …` */
  replace(spec: FdbSpec): Done {
    return this.#sink(() => setFdbEntry(spec, 'replace'))
  }

  /** Removes an entry, which may be a learnt one. `bridge fdb del <mac> dev <link> [master|self]` */
  remove(spec: Omit<FdbSpec, 'state'>): Done {
    return this.#sink(() => removeFdbEntry(spec))
  }
}

export interface FdbFilter extends NamesWanted {
  /** Entries of this bridge and its ports. */
  readonly bridge?: LinkRef
  /** Entries of this port or vxlan. */
  readonly link?: LinkRef
}

/** The forwarding tables of bridges and vxlans. */
export class Fdb extends FdbChanges<Promise<void>> {
  readonly #connection: Connection

  constructor(connection: Connection, sink: Sink<Promise<void>>) {
    super(sink)
    this.#connection = connection
  }

  /** All entries, or some of them. `bridge fdb show [br <bridge>] [dev <link>]` */
  async list(filter: FdbFilter = {}): Promise<FdbEntry[]> {
    const { bridge, link, names: wanted } = take('list forwarding entries', filter, 'FdbFilter')
    const refers = [bridge, link].filter(one => one !== undefined)
    const names = await resolve(this.#connection, [{ refers, requests: () => [] }])
    const index = link === undefined ? 0 : names.indexOf(link)
    const master = bridge === undefined ? undefined : names.indexOf(bridge)
    const value = { family: wire.AF_BRIDGE, index, attributes: { master } }
    const about = { type: wire.RTM_GETNEIGH, op: 'list', target: 'forwarding entries' }
    const entries: FdbEntry[] = []
    for await (const entry of this.#connection.dump(
      request(wire.neighbourMessage, value, about),
      readFdbEntry,
    ))
      if (entry && (index === 0 || entry.link === index)) entries.push(entry)
    const fields = { linkName: 'link', masterName: 'master' } as const
    return await withNames(this.#connection, entries, { names: wanted, fields })
  }
}

export function readFdbEntry({ body }: Message): FdbEntry | undefined {
  return fdbEntryOf(wire.neighbourMessage.read(body))
}
