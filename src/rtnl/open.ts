import {
  buildAtOnce,
  Connection,
  connect,
  NetlinkError,
  type NetlinkPort,
  type NetNamespace,
  type Request,
  type Subscription,
} from '../netlink/index.ts'
import { AddressChanges, Addresses } from './address/addresses.ts'
import { VlanChanges, Vlans } from './bridge/vlans.ts'
import { LinkChanges, Links } from './link/links.ts'
import { explained } from './missing.ts'
import { type EventGroup, type MonitorOptions, monitor, type RouteEvent } from './monitor.ts'
import { resolve } from './names.ts'
import { NamespaceChanges, Namespaces } from './namespace/namespaces.ts'
import { Fdb, FdbChanges } from './neighbour/fdb.ts'
import { NeighbourChanges, Neighbours } from './neighbour/neighbours.ts'
import { NextHopChanges, NextHops } from './nexthop/nexthops.ts'
import type { Operation, Sink } from './operation.ts'
import { RouteChanges, Routes } from './route/routes.ts'
import { RuleChanges, Rules } from './rule/rules.ts'
import { take } from './takes.ts'
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
  readonly namespaces: NamespaceChanges<void>
  readonly vlans: VlanChanges<void>
  readonly nextHops: NextHopChanges<void>
}

/** The operations that a batch consists of. */
export function operationsOf(build: (batch: Batch) => void): Operation[] {
  const operations: Operation[] = []
  buildAtOnce(build, new Recorder(make => void operations.push(make())), 'batch')
  return operations
}

/** Its parts are made when they are used: a first batch uses few of them. */
class Recorder implements Batch {
  readonly #take: Sink<void>

  constructor(take: Sink<void>) {
    this.#take = take
  }

  get links() {
    return new LinkChanges(this.#take)
  }
  get addresses() {
    return new AddressChanges(this.#take)
  }
  get routes() {
    return new RouteChanges(this.#take)
  }
  get rules() {
    return new RuleChanges(this.#take)
  }
  get neighbours() {
    return new NeighbourChanges(this.#take)
  }
  get fdb() {
    return new FdbChanges(this.#take)
  }
  get qdiscs() {
    return new QdiscChanges(this.#take)
  }
  get classes() {
    return new ClassChanges(this.#take)
  }
  get filters() {
    return new FilterChanges(this.#take)
  }
  get namespaces() {
    return new NamespaceChanges(this.#take)
  }
  get vlans() {
    return new VlanChanges(this.#take)
  }
  get nextHops() {
    return new NextHopChanges(this.#take)
  }
}

/**
 * The interfaces, addresses, routes, rules, neighbours, forwarding tables and traffic control of one network
 * namespace. A refusal of the kernel is thrown as a NetlinkError: `create bridge xcbr0: File exists`.
 */
export class Route implements AsyncDisposable {
  readonly #connection: Connection
  readonly #namespace: NetNamespace | undefined
  readonly #now: Sink<Promise<void>>
  readonly #monitors = new Set<Subscription<RouteEvent>>()

  constructor(connection: Connection, namespace?: NetNamespace) {
    this.#connection = connection
    this.#namespace = namespace
    this.#now = async make => this.#apply([make()])
  }

  get links(): Links {
    return new Links(this.#connection, this.#now)
  }
  get addresses(): Addresses {
    return new Addresses(this.#connection, this.#now)
  }
  get routes(): Routes {
    return new Routes(this.#connection, this.#now)
  }
  get rules(): Rules {
    return new Rules(this.#connection, this.#now)
  }
  get neighbours(): Neighbours {
    return new Neighbours(this.#connection, this.#now)
  }
  get fdb(): Fdb {
    return new Fdb(this.#connection, this.#now)
  }
  get qdiscs(): Qdiscs {
    return new Qdiscs(this.#connection, this.#now)
  }
  get classes(): Classes {
    return new Classes(this.#connection, this.#now)
  }
  get filters(): Filters {
    return new Filters(this.#connection, this.#now)
  }
  get namespaces(): Namespaces {
    return new Namespaces(this.#connection, this.#now)
  }
  get vlans(): Vlans {
    return new Vlans(this.#connection, this.#now)
  }
  get nextHops(): NextHops {
    return new NextHops(this.#connection, this.#now)
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

  /**
   * Encodes a batch now; the function that it returns carries it out. For interfaces that are still being made
   * by other means: refer to those by name.
   */
  prepare(build: (batch: Batch) => void): Promise<() => Promise<void>> {
    return this.#prepare(operationsOf(build))
  }

  /** Listens to changes from now on, on a socket of its own. `ip monitor`, `bridge monitor fdb`, `tc monitor` */
  monitor(
    groups: readonly EventGroup[],
    options: Omit<MonitorOptions, 'namespace'> = {},
  ): Subscription<RouteEvent> {
    const where = this.#namespace && { namespace: this.#namespace }
    const events = monitor(groups, { ...where, ...options })
    this.#monitors.add(events)
    void events.closed.then(() => this.#monitors.delete(events))
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
    const carryOut = await this.#prepare(operations)
    await carryOut()
  }

  async #prepare(operations: readonly Operation[]): Promise<() => Promise<void>> {
    const names = await resolve(this.#connection, operations)
    const requests = operations.map(operation => operation.requests(names))
    const send = this.#connection.prepare(requests.flat())
    return async () => {
      try {
        await send()
      } catch (refusal) {
        throw refusal instanceof NetlinkError ? explainedIn(refusal, { operations, requests }) : refusal
      }
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

export interface OpenRouteOptions {
  readonly namespace?: NetNamespace
  /** A NETLINK_ROUTE socket that is open already, in any namespace. */
  readonly port?: NetlinkPort
}

/** Opens a Route of a network namespace. Default: this process's own, unless a socket is given. */
export function openRoute(options: OpenRouteOptions = {}): Route {
  const { port, ...where } = take('open rtnetlink', options, 'OpenOptions')
  const decoder = routeDecoder
  return new Route(
    port ? new Connection(port, { decoder }) : connect('route', { ...where, decoder }),
    where.namespace,
  )
}
