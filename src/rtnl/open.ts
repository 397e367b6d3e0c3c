import {
  type Connection,
  connect,
  NetlinkError,
  type NetNamespace,
  type Request,
  type Subscription,
} from '../netlink/index.ts'
import { AddressChanges, Addresses } from './address/addresses.ts'
import { LinkChanges, Links } from './link/links.ts'
import { explained } from './missing.ts'
import { type EventGroup, type MonitorOptions, monitor, type RouteEvent } from './monitor.ts'
import { resolve } from './names.ts'
import { Fdb, FdbChanges } from './neighbour/fdb.ts'
import { NeighbourChanges, Neighbours } from './neighbour/neighbours.ts'
import type { Operation } from './operation.ts'
import { RouteChanges, Routes } from './route/routes.ts'
import { RuleChanges, Rules } from './rule/rules.ts'
import { routeDecoder } from './trace.ts'
import { ClassChanges, Classes } from './traffic/classes.ts'
import { FilterChanges, Filters } from './traffic/filters.ts'
import { QdiscChanges, Qdiscs } from './traffic/qdiscs.ts'

/** A batch. It has the same calls; they record operations instead of carrying them out. */
export interface Batch {
  readonly links: LinkChanges<void>
  readonly addresses: AddressChanges<void>
  readonly routes: RouteChanges<void>
  readonly rules: RuleChanges<void>
  readonly neighbours: NeighbourChanges<void>
  readonly fdb: FdbChanges<void>
  readonly qdiscs: QdiscChanges<void>
  readonly classes: ClassChanges<void>
  readonly filters: FilterChanges<void>
}

/** The operations that a batch consists of. */
export function operationsOf(build: (batch: Batch) => void): Operation[] {
  const operations: Operation[] = []
  const take = (make: () => Operation) => void operations.push(make())
  build({
    links: new LinkChanges(take),
    addresses: new AddressChanges(take),
    routes: new RouteChanges(take),
    rules: new RuleChanges(take),
    neighbours: new NeighbourChanges(take),
    fdb: new FdbChanges(take),
    qdiscs: new QdiscChanges(take),
    classes: new ClassChanges(take),
    filters: new FilterChanges(take),
  })
  return operations
}

/**
 * The interfaces, addresses, routes, rules, neighbours, forwarding tables and traffic control of one network
 * namespace. A refusal of the kernel is thrown as a NetlinkError: `create bridge xcbr0: File exists`.
 */
export class Route implements AsyncDisposable {
  readonly links: Links
  readonly addresses: Addresses
  readonly routes: Routes
  readonly rules: Rules
  readonly neighbours: Neighbours
  readonly fdb: Fdb
  readonly qdiscs: Qdiscs
  readonly classes: Classes
  readonly filters: Filters
  readonly #connection: Connection
  readonly #namespace: NetNamespace | undefined
  readonly #monitors = new Set<Subscription<RouteEvent>>()

  constructor(connection: Connection, namespace?: NetNamespace) {
    this.#connection = connection
    this.#namespace = namespace
    const now = async (make: () => Operation) => this.#apply([make()])
    this.links = new Links(connection, now)
    this.addresses = new Addresses(connection, now)
    this.routes = new Routes(connection, now)
    this.rules = new Rules(connection, now)
    this.neighbours = new Neighbours(connection, now)
    this.fdb = new Fdb(connection, now)
    this.qdiscs = new Qdiscs(connection, now)
    this.classes = new Classes(connection, now)
    this.filters = new Filters(connection, now)
  }

  /**
   * Carries out many operations in a few messages to the kernel. It processes them in order and continues after one
   * that it refuses: a batch is not a transaction. Throws the first refusal, with the `others`. `ip -batch -force`
   *
   * ```ts
   * await route.batch(({ links, addresses }) => {
   *   links.add(bridge({ name: 'xcbr0', index: 1000, mtu: 1500, stp: false, up: true }))
   *   links.change({ name: 'xcbr0_t1', master: 1000, up: true })
   *   addresses.add({ link: 1000, address: '192.168.0.250', prefix: 24 })
   * })
   * ```
   *
   * You can refer to interfaces by name everywhere. Where the wire needs an index, a name costs a query, one for
   * all names together. An `index` that you choose costs nothing.
   */
  async batch(build: (batch: Batch) => void): Promise<void> {
    await this.#apply(operationsOf(build))
  }

  /** Listens to changes from now on, on a socket of its own. `ip monitor`, `bridge monitor fdb`, `tc monitor` */
  monitor(
    groups: readonly EventGroup[],
    options: Omit<MonitorOptions, 'namespace'> = {},
  ): Subscription<RouteEvent> {
    const where = this.#namespace && { namespace: this.#namespace }
    const events = monitor(groups, { ...where, ...options })
    for (const earlier of this.#monitors) if (earlier.closed) this.#monitors.delete(earlier)
    this.#monitors.add(events)
    return events
  }

  /** Closes the sockets, rejects pending requests and ends monitors. */
  async close(): Promise<void> {
    await Promise.all([this.#connection, ...this.#monitors].map(part => part.close()))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #apply(operations: readonly Operation[]): Promise<void> {
    const names = await resolve(this.#connection, operations)
    const requests = operations.map(operation => operation.requests(names))
    try {
      await this.#connection.batch(requests.flat())
    } catch (refusal) {
      throw refusal instanceof NetlinkError ? explainedIn(refusal, { operations, requests }) : refusal
    }
  }
}

interface Tried {
  readonly operations: readonly Operation[]
  readonly requests: readonly (readonly Request[])[]
}

/** A refusal and its `others`, each explained where a missing kernel feature caused it. */
function explainedIn(refusal: NetlinkError, tried: Tried): NetlinkError {
  const others = refusal.others.map(other => explainedIn(other, tried))
  const at = tried.requests.findIndex(requests =>
    requests.some(({ op, target }) => op === refusal.op && target === refusal.target),
  )
  return explained(refusal, tried.operations[at]?.lacks ?? [], others)
}

/** Opens a Route of a network namespace. Default: this process's own. */
export function openRoute(options: { readonly namespace?: NetNamespace } = {}): Route {
  return new Route(connect('route', { ...options, decoder: routeDecoder }), options.namespace)
}
