import { type Connection, type Message, request } from '../../netlink/index.ts'
import { resolve } from '../names.ts'
import type { LinkRef, Sink } from '../operation.ts'
import { take } from '../takes.ts'
import * as wire from '../wire/index.ts'
import {
  addFilter,
  type Filter,
  type FilterPlace,
  type FilterSpec,
  filterOf,
  removeFilters,
} from './filter.ts'
import { type Handle, handleNumber } from './handle.ts'

/** Changes of filters, each at once or in a batch. */
export class FilterChanges<Done> {
  readonly #sink: Sink<Done>

  constructor(sink: Sink<Done>) {
    this.#sink = sink
  }

  /**
   * Adds a filter. `tc filter add dev <link> parent <parent> protocol … prio … u32 match … flowid … action
   * mirred …`
   */
  add(spec: FilterSpec): Done {
    return this.#sink(() => addFilter(spec))
  }

  /** Removes the filters of a priority, or all. `tc filter del dev <link> parent <parent> [protocol … prio …]` */
  remove(place: FilterPlace): Done {
    return this.#sink(() => removeFilters(place))
  }
}

/** Filters: they choose the class of a packet, or another interface for it. */
export class Filters extends FilterChanges<Promise<void>> {
  readonly #connection: Connection

  constructor(connection: Connection, sink: Sink<Promise<void>>) {
    super(sink)
    this.#connection = connection
  }

  /** The filters of a qdisc. Default: the root qdisc. `tc filter show dev <link> [parent <parent>]` */
  async list(place: { readonly link: LinkRef; readonly parent?: Handle }): Promise<Filter[]> {
    const { link, parent } = take('list filters', place, 'FilterFilter')
    const names = await resolve(this.#connection, [{ refers: [link], requests: () => [] }])
    const value = { index: names.indexOf(link), parent: parent === undefined ? 0 : handleNumber(parent) }
    const about = { type: wire.RTM_GETTFILTER, op: 'list', target: `filters of ${link}` }
    const filters: Filter[] = []
    for await (const filter of this.#connection.dump(request(wire.trafficMessage, value, about), readFilter))
      if (filter) filters.push(filter)
    return filters
  }
}

export function readFilter({ body }: Message): Filter | undefined {
  return filterOf(wire.trafficMessage.read(body))
}
