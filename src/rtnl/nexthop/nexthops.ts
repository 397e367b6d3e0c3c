import { type Connection, type Message, request } from '../../netlink/index.ts'
import { resolve } from '../names.ts'
import type { LinkRef, Sink } from '../operation.ts'
import { take } from '../takes.ts'
import * as wire from '../wire/index.ts'
import { type NamesWanted, withNames } from '../with-names.ts'
import { bucketOf, nextHopOf, removeNextHop, setNextHop } from './requests.ts'
import type { NextHopBucket, NextHopObject, NextHopObjectSpec } from './spec.ts'

/** Changes of nexthop objects, each at once or in a batch. */
export class NextHopChanges<Done> {
  readonly #sink: Sink<Done>

  constructor(sink: Sink<Done>) {
    this.#sink = sink
  }

  /** Adds a nexthop object or a group. `ip nexthop add [id <id>] via … dev …`, `… group 1,2/20 type resilient` */
  add(spec: NextHopObjectSpec): Done {
    return this.#sink(() => setNextHop(spec, 'add'))
  }

  /** Adds one, or changes the existing one: all routes that use it follow at once. `ip nexthop replace …` */
  replace(spec: NextHopObjectSpec): Done {
    return this.#sink(() => setNextHop(spec, 'replace'))
  }

  /** Removes one, with the routes that use it. `ip nexthop del id <id>` */
  remove(id: number): Done {
    return this.#sink(() => removeNextHop(id))
  }
}

export interface NextHopFilter extends NamesWanted {
  /** Over this interface. */
  readonly dev?: LinkRef
  /** Over ports of this bridge or VRF. */
  readonly master?: LinkRef
  /** Only groups. */
  readonly groups?: boolean
  /** Only peers of vxlans. */
  readonly fdb?: boolean
}

/** Nexthop objects (Linux 5.3), and groups of them. */
export class NextHops extends NextHopChanges<Promise<void>> {
  readonly #connection: Connection

  constructor(connection: Connection, sink: Sink<Promise<void>>) {
    super(sink)
    this.#connection = connection
  }

  /** All nexthop objects, or some of them. `ip nexthop show [dev <dev>] [master <dev>] [groups]` */
  async list(filter: NextHopFilter = {}): Promise<NextHopObject[]> {
    const { dev, master, groups, fdb, names: wanted } = take('list nexthops', filter, 'NextHopFilter')
    const refers = [dev, master].filter(one => one !== undefined)
    const names = await resolve(this.#connection, [{ refers, requests: () => [] }])
    const attributes = {
      outIndex: dev === undefined ? undefined : names.indexOf(dev),
      master: master === undefined ? undefined : names.indexOf(master),
      groups: groups ? (true as const) : undefined,
      fdb: fdb ? (true as const) : undefined,
    }
    const about = { type: wire.RTM_GETNEXTHOP, op: 'list', target: 'nexthops' }
    const found: NextHopObject[] = []
    for await (const one of this.#connection.dump(
      request(wire.nextHopMessage, { attributes }, about),
      readNextHop,
    ))
      if (!fdb || one.fdb) found.push(one) // the kernel lists all without an interface (nh_dump_filtered)
    return await withNames(this.#connection, found, { names: wanted, fields: { devName: 'dev' } })
  }

  /** One nexthop object. Throws NETLINK_NOT_FOUND when it does not exist. `ip nexthop get id <id>` */
  async get(id: number): Promise<NextHopObject> {
    take('find nexthop', id, ['number', 'id'])
    const about = { type: wire.RTM_GETNEXTHOP, op: 'find nexthop', target: `${id}` }
    const asking = request(wire.nextHopMessage, { attributes: { id } }, about)
    const [found] = await this.#connection.ask(asking, readNextHop)
    return found as NextHopObject
  }

  /** The buckets of a resilient group. `ip nexthop bucket show id <id>` */
  async buckets(id: number): Promise<NextHopBucket[]> {
    take('list buckets of nexthop', id, ['number', 'id'])
    const about = { type: wire.RTM_GETNEXTHOPBUCKET, op: 'list buckets of nexthop', target: `${id}` }
    const asking = request(wire.nextHopMessage, { attributes: { id } }, about)
    const buckets: NextHopBucket[] = []
    for await (const bucket of this.#connection.dump(asking, ({ body }) =>
      bucketOf(wire.nextHopMessage.read(body)),
    ))
      if (bucket) buckets.push(bucket)
    return buckets
  }
}

export function readNextHop({ body }: Message): NextHopObject {
  return nextHopOf(wire.nextHopMessage.read(body))
}
