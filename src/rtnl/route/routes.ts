import { addressText } from '../../base/index.ts'
import { type Connection, type Message, request } from '../../netlink/index.ts'
import { given } from '../link/kinds.ts'
import { resolve } from '../names.ts'
import type { Sink } from '../operation.ts'
import * as wire from '../wire/index.ts'
import { addRoute, appendRoute, getRoute, removeRoute, replaceRoute } from './requests.ts'
import { type Lookup, type RouteEntry, type RouteSpec, routeTypes } from './spec.ts'

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

export interface RouteFilter {
  readonly family?: 4 | 6
  /** Default: 254, main. 0 for all tables. */
  readonly table?: number
}

/** Routes. */
export class Routes extends RouteChanges<Promise<void>> {
  readonly #connection: Connection

  constructor(connection: Connection, sink: Sink<Promise<void>>) {
    super(sink)
    this.#connection = connection
  }

  /** The routes of one table, of both families or one. `ip [-4|-6] route show table <n>` */
  async list({ family, table = wire.RT_TABLE_MAIN }: RouteFilter = {}): Promise<RouteEntry[]> {
    const families =
      family === undefined ? [wire.AF_INET, wire.AF_INET6] : [family === 4 ? wire.AF_INET : wire.AF_INET6]
    const routes: RouteEntry[] = []
    for (const family of families) {
      const asking = request(
        wire.routeMessage,
        { family },
        { type: wire.RTM_GETROUTE, op: 'list', target: 'routes' },
      )
      for await (const route of this.#connection.dump(asking, readRoute))
        if (route && (table === 0 || route.table === table)) routes.push(route)
    }
    return routes
  }

  /**
   * The route that a packet to this address would take, with policy rules applied. A destination that is
   * `unreachable` or the like is a refusal (NETLINK_REFUSED). `ip route get <to> [from <address>] [iif <dev>]
   * [oif <dev>] [mark <n>]`
   */
  async get(to: string, lookup: Lookup = {}): Promise<RouteEntry> {
    const refers = [lookup.inDev, lookup.outDev].filter(dev => dev !== undefined)
    const names = await resolve(this.#connection, [{ refers, requests: () => [] }])
    const [found] = await this.#connection.ask(getRoute(to, lookup, names), ({ body }) =>
      routeOf(wire.routeMessage.read(body)),
    )
    return found as RouteEntry
  }
}

/** Undefined for entries that are not routes of a table: cached ones, multicast families. */
export function readRoute({ body }: Message): RouteEntry | undefined {
  const message = wire.routeMessage.read(body)
  const known = message.family === wire.AF_INET || message.family === wire.AF_INET6
  return known && !(message.flags & wire.RTM_F_CLONED) ? routeOf(message) : undefined
}

/** Converts the kernel's message. */
function routeOf(message: wire.RouteMessage): RouteEntry {
  const { destination, destinationLength, gateway, outIndex, via, ...rest } = {
    ...message,
    ...message.attributes,
  }
  const { preferredSource, metrics, nextHops } = rest
  const gate = gatewayText({ gateway, via })
  return {
    family: message.family === wire.AF_INET ? 4 : 6,
    destination: destination ? `${addressText(destination)}/${destinationLength}` : 'default',
    type: routeTypes[message.type] ?? 'unspec',
    table: message.attributes.table ?? message.table,
    protocol: message.protocol,
    scope: message.scope,
    metric: message.attributes.metric ?? 0,
    tos: message.tos,
    onlink: (message.flags & wire.RTNH_F_ONLINK) !== 0,
    ways: (nextHops ?? []).map(wayOf),
    ...gate,
    ...(outIndex !== undefined && { dev: outIndex }),
    ...(preferredSource && { source: addressText(preferredSource) }),
    ...(metrics && metricsOf(metrics)),
  }
}

type Metrics = NonNullable<wire.RouteMessage['attributes']['metrics']>

function metricsOf({ mtu, lock = 0, advmss, window, hopLimit, initcwnd, initrwnd, quickAck }: Metrics) {
  const known = given({ mtu, advmss, window, hopLimit, initcwnd, initrwnd })
  return { ...known, ...(lock & 4 && { mtuLocked: true }), ...(quickAck && { quickAck: true }) }
}

function wayOf({ index, hops, flags, attributes }: wire.NextHop): RouteEntry['ways'][number] {
  return {
    dev: index,
    weight: hops + 1,
    onlink: (flags & wire.RTNH_F_ONLINK) !== 0,
    ...gatewayText(attributes),
  }
}

function gatewayText({ gateway, via }: wire.NextHop['attributes']): { via?: string } {
  const bytes = gateway ?? via?.address
  return bytes ? { via: addressText(bytes) } : {}
}
