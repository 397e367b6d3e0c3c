import { type Connection, type Message, request } from '../../netlink/index.ts'
import { resolve } from '../names.ts'
import type { LinkRef, Sink } from '../operation.ts'
import { take } from '../takes.ts'
import * as wire from '../wire/index.ts'
import { type NamesWanted, withNames } from '../with-names.ts'
import {
  type Neighbour,
  type NeighbourSpec,
  neighbourOf,
  removeNeighbour,
  setNeighbour,
} from './neighbour.ts'

/** Changes of neighbours, each at once or in a batch. */
export class NeighbourChanges<Done> {
  readonly #sink: Sink<Done>

  constructor(sink: Sink<Done>) {
    this.#sink = sink
  }

  /**
   * Adds a neighbour that does not exist. `ip neighbour add [proxy] <address> lladdr <mac> dev <link> nud
   * <state>`
   */
  add(spec: NeighbourSpec): Done {
    return this.#sink(() => setNeighbour(spec, 'add'))
  }

  /** Changes an existing neighbour. `ip neighbour change …` */
  change(spec: NeighbourSpec): Done {
    return this.#sink(() => setNeighbour(spec, 'change'))
  }

  /** Adds a neighbour, or changes the existing one. `ip neighbour replace …` */
  replace(spec: NeighbourSpec): Done {
    return this.#sink(() => setNeighbour(spec, 'replace'))
  }

  /** Removes a neighbour, whether it was learnt or added. `ip neighbour del <address> dev <link>` */
  remove(which: Pick<NeighbourSpec, 'link' | 'address' | 'proxy'>): Done {
    return this.#sink(() => removeNeighbour(which))
  }
}

export interface NeighbourFilter extends NamesWanted {
  readonly link?: LinkRef
  readonly family?: 4 | 6
  /** List proxies instead of neighbours. */
  readonly proxy?: boolean
}

/** Neighbours: the ARP and NDP tables. */
export class Neighbours extends NeighbourChanges<Promise<void>> {
  readonly #connection: Connection

  constructor(connection: Connection, sink: Sink<Promise<void>>) {
    super(sink)
    this.#connection = connection
  }

  /** All neighbours, or some of them. `ip [-4|-6] neighbour show [proxy] [dev <link>] nud all` */
  async list(filter: NeighbourFilter = {}): Promise<Neighbour[]> {
    const { link, family, proxy = false, names: wanted } = take('list neighbours', filter, 'NeighbourFilter')
    const refers = link === undefined ? [] : [link]
    const names = await resolve(this.#connection, [{ refers, requests: () => [] }])
    const value = {
      family: family === undefined ? wire.AF_UNSPEC : family === 4 ? wire.AF_INET : wire.AF_INET6,
      flags: proxy ? wire.NTF_PROXY : 0,
      attributes: { outIndex: link === undefined ? undefined : names.indexOf(link) },
    }
    const about = { type: wire.RTM_GETNEIGH, op: 'list', target: 'neighbours' }
    const asking = request(wire.neighbourMessage, value, about)
    const neighbours: Neighbour[] = []
    for await (const neighbour of this.#connection.dump(asking, readNeighbour))
      if (neighbour && neighbour.proxy === proxy) neighbours.push(neighbour)
    const fields = { linkName: 'link' } as const
    return await withNames(this.#connection, neighbours, { names: wanted, fields })
  }
}

export function readNeighbour({ body }: Message): Neighbour | undefined {
  return neighbourOf(wire.neighbourMessage.read(body))
}
