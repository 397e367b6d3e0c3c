import { errnoName, errnoText } from '../../base/index.ts'
import { type Connection, NetlinkError, request } from '../../netlink/index.ts'
import { resolve } from '../names.ts'
import type { LinkRef, Sink } from '../operation.ts'
import { take } from '../takes.ts'
import * as wire from '../wire/index.ts'
import { type NamesWanted, nameFields, namesOf } from '../with-names.ts'
import { readRoute, routeOf } from './entry.ts'
import { addRoute, appendRoute, changeRoute, getRoute, removeRoute, replaceRoute } from './requests.ts'
import { type Lookup, type RouteEntry, type RouteSpec, type RouteType, routeTypes } from './spec.ts'

/** Changes of routes, each at once or in a batch. */
export class RouteChanges<Done> {
  readonly #sink: Sink<Done>

  constructor(sink: Sink<Done>) {
    this.#sink = sink
  }

  /** Adds a route that does not exist. `ip route add <destination> via … dev …` */
  add(spec: RouteSpec): Done {
    return this.#sink(() => addRoute(spec))
  }

  /** Changes an existing route: the one to the same destination. `ip route change …` */
  change(spec: RouteSpec): Done {
    return this.#sink(() => changeRoute(spec))
  }

  /** Adds a route, or replaces the one to the same destination. `ip route replace …` */
  replace(spec: RouteSpec): Done {
    return this.#sink(() => replaceRoute(spec))
  }

  /** Adds a route after those to the same destination. `ip route append …` */
  append(spec: RouteSpec): Done {
    return this.#sink(() => appendRoute(spec))
  }

  /** Removes the first route that matches every given field. `ip route del …` */
  remove(spec: RouteSpec): Done {
    return this.#sink(() => removeRoute(spec))
  }
}

/** Which routes a listing has. The kernel selects by table, interface, origin and type, this library by the rest. */
export interface RouteFilter extends NamesWanted {
  readonly family?: 4 | 6
  /** Default: 254, main. 0 for all tables. */
  readonly table?: number
  /** Over this interface, alone or as one of several next hops. */
  readonly dev?: LinkRef
  /** The origin (RTPROT_*). */
  readonly protocol?: number
  readonly type?: RouteType
  /** To exactly this destination: `10.0.0.0/8`, `default`. */
  readonly destination?: string
  /** Over this gateway, alone or as one of several next hops. */
  readonly via?: string
  readonly nextHopId?: number
}

/** Routes. */
export class Routes extends RouteChanges<Promise<void>> {
  readonly #connection: Connection

  constructor(connection: Connection, sink: Sink<Promise<void>>) {
    super(sink)
    this.#connection = connection
  }

  /**
   * The routes of one table, of both families or one, or those that match the filter. `ip [-4|-6] route show
   * table <n> [dev <dev>] [proto <n>] [type <t>]`
   */
  async list(filter: RouteFilter = {}): Promise<RouteEntry[]> {
    take('list routes', filter, 'RouteFilter')
    const refers = filter.dev === undefined ? [] : [filter.dev]
    const names = await resolve(this.#connection, [{ refers, requests: () => [] }])
    const index = filter.dev === undefined ? undefined : names.indexOf(filter.dev)
    const routes: RouteEntry[] = []
    for (const family of filter.family === undefined ? ([4, 6] as const) : [filter.family])
      routes.push(...(await this.#listFamily({ ...filter, family }, index)))
    return filter.names ? await this.#named(routes) : routes
  }

  /**
   * The route that a packet to this address would take, with policy rules applied. A destination that is
   * `unreachable`, `prohibit`, `blackhole` or `throw`, or has no route, is a refusal (NETLINK_REFUSED). `ip route
   * get <to> [from <address>] [iif <dev>] [oif <dev>] [mark <n>]`
   */
  async get(to: string, lookup: Lookup = {}): Promise<RouteEntry> {
    take('look up route', to, ['text', 'to'])
    take('look up route', lookup, 'Lookup')
    const refers = [lookup.inDev, lookup.outDev].filter(dev => dev !== undefined)
    const names = await resolve(this.#connection, [{ refers, requests: () => [] }])
    try {
      const [found] = await this.#connection.ask(getRoute(to, lookup, names), ({ body }) =>
        routeOf(wire.routeMessage.read(body)),
      )
      return found as RouteEntry
    } catch (refusal) {
      throw refusal instanceof NetlinkError ? verdictOf(refusal) : refusal
    }
  }

  async #listFamily(filter: RouteFilter, index: number | undefined): Promise<RouteEntry[]> {
    const { family, table = wire.RT_TABLE_MAIN, protocol = 0, type } = filter
    const value: wire.RouteToWrite = {
      family: family === 4 ? wire.AF_INET : wire.AF_INET6,
      table: table > 255 ? 0 : table,
      protocol,
      type: type === undefined ? 0 : routeTypes.indexOf(type),
      attributes: { table: table > 255 ? table : undefined, outIndex: index },
    }
    const about = { type: wire.RTM_GETROUTE, op: 'list', target: 'routes' }
    const asking = request(wire.routeMessage, value, about)
    const routes: RouteEntry[] = []
    try {
      for await (const route of this.#connection.dump(asking, readRoute))
        if (route && matches(route, { ...filter, table }, index)) routes.push(route)
    } catch (refusal) {
      if (!isMissingTable(refusal)) throw refusal
    }
    return routes
  }

  async #named(routes: readonly RouteEntry[]): Promise<RouteEntry[]> {
    const nameOf = await namesOf(this.#connection)
    return routes.map(route => ({
      ...nameFields(route, nameOf, { devName: 'dev' }),
      ways: route.ways.map(way => nameFields(way, nameOf, { devName: 'dev' })),
    }))
  }
}

/** A table without routes may not exist: the kernel makes tables when they are used (fib_new_table). */
function isMissingTable(refusal: unknown): boolean {
  return refusal instanceof NetlinkError && refusal.code === 'NETLINK_NOT_FOUND'
}

/** Older kernels ignore the filters of a listing. */
function matches(route: RouteEntry, filter: RouteFilter, index: number | undefined): boolean {
  const { table, protocol, type, destination, via, nextHopId } = filter
  return (
    (table === 0 || route.table === table) &&
    (protocol === undefined || route.protocol === protocol) &&
    (type === undefined || route.type === type) &&
    (destination === undefined || route.destination === destination) &&
    (nextHopId === undefined || route.nextHopId === nextHopId) &&
    (via === undefined || route.via === via || route.ways.some(way => way.via === via)) &&
    (index === undefined || route.dev === index || route.ways.some(way => way.dev === index))
  )
}

/** fib_props[] of net/ipv4/fib_semantics.c and ip6_rt_type_to_error(): the answer to a look-up of these types. */
const typesByErrno: Readonly<Record<string, RouteType>> = {
  EACCES: 'prohibit',
  EINVAL: 'blackhole',
  EAGAIN: 'throw',
}

/** The kernel answers with the type's errno, which elsewhere means that the request itself is wrong. */
function verdictOf(refusal: NetlinkError): NetlinkError {
  const { errno = 0, reason, op, target } = refusal
  const type = typesByErrno[errnoName(errno)]
  if (type === undefined || reason !== errnoText(errno)) return refusal
  return new NetlinkError({
    code: 'NETLINK_REFUSED',
    ...(op !== undefined && { op }),
    ...(target !== undefined && { target }),
    errno,
    cause: refusal,
    reason: `${reason}: the route is of type ${type}`,
  })
}
