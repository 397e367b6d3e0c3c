import { type Queue, Scope, systemClock, unlessAborted, within } from '../base/index.ts'
import type { NetNamespace } from '../sys/index.ts'
import { aborted, DnsError } from './errors.ts'
import { openResolver } from './forwarder/forwarder.ts'
import type { ResolverOptions } from './forwarder/options.ts'
import { fits, type QueryEvent, QueryEvents, type QueryFilter } from './observe/events.ts'
import { count, newFigures } from './observe/histogram.ts'
import { serveMetrics } from './observe/metrics-server.ts'
import { Observers } from './observe/observers.ts'
import { prometheusText } from './observe/prometheus.ts'
import { QueryLog } from './observe/query-log.ts'
import type { Snapshot } from './observe/snapshot.ts'
import { parsePlace, placeText, usualPort } from './server/address.ts'
import type { StreamLimits } from './server/limits.ts'
import { type DnsServer, listen } from './server/listen.ts'
import type { FaultRules } from './tailor/faults.ts'
import { take } from './takes.ts'
import type { OwnHosts, Resolver } from './types.ts'

export interface DnsOptions extends ResolverOptions {
  /** `[::]:10053` (which includes IPv4), `192.168.0.250:53`; port 0 is any free one. UDP and TCP. */
  readonly listen?: readonly string[]
  /** The namespace to listen in. Upstreams are queried from the namespace of this process. */
  readonly namespace?: NetNamespace
  /** Networks that may send queries, besides this machine: `192.168.0.0/24`. */
  readonly allow?: readonly string[]
  /** The query log: a file, or `-` for standard output. Default: no log. */
  readonly log?: string
  /** Where to serve `/metrics` for Prometheus: `127.0.0.1:9153`. */
  readonly metrics?: string
  /** Counts answers for {@link Dns.snapshot} even when this process serves no metrics. */
  readonly counting?: boolean
  readonly limits?: Partial<StreamLimits>
  /** Several processes or threads of the same user may listen at the same place. */
  readonly reusePort?: boolean
  /**
   * Receives UDP through node:dgram even where the addon could: slower, and without the address that was
   * queried.
   */
  readonly plainUdp?: boolean
}

export interface QueryOptions {
  /** Default: 10 s. */
  readonly timeoutMs?: number
  /** Ends the wait: DNS_ABORTED. */
  readonly signal?: AbortSignal
}

/** A forwarder with its listeners. */
export interface Dns extends AsyncDisposable {
  /** The first place at which it listens. */
  readonly address: string
  readonly port: number
  readonly places: readonly { readonly address: string; readonly port: number }[]
  readonly metrics: { readonly address: string; readonly port: number } | undefined
  /** The next answer that matches, from now on: `await dns.query({ name: 'example.org' })`. */
  query(filter?: QueryFilter, options?: QueryOptions): Promise<QueryEvent>
  /** All answers from now on. */
  queries(): Queue<QueryEvent>
  /** Replaces the names that are answered here. Those of the hosts file stay. */
  setHosts(own: OwnHosts): void
  /** The answers that fail, for tests. */
  readonly faults: FaultRules
  snapshot(): Snapshot
  /** The same as the text that Prometheus reads. */
  metricsText(): string
  /** Reads resolv.conf and the hosts file again, and opens the log again: the effect of SIGHUP. */
  reload(): Promise<void>
  close(): Promise<void>
}

/** Opens a forwarder with its sockets: all of it, or nothing. Equivalent: `xc dns`. */
export async function openDns(options: DnsOptions = {}): Promise<Dns> {
  take('open DNS forwarder', options, 'server')
  await using scope = new Scope()
  const resolver = scope.add(openResolver(options))
  const observers = new Observers(resolver)
  const log = options.log === undefined ? undefined : scope.add(new QueryLog(options.log, options.clock))
  if (log) observers.add(log.note)
  const figures = newFigures()
  if (options.counting || options.metrics !== undefined) observers.add(answered => count(figures, answered))
  const server = scope.add(await listen(listenOptions(options, resolver)))
  const snapshot = (): Snapshot => snapshotOf(resolver, server, figures)
  const metrics = await openMetrics(options, { scope, server, snapshot })
  const all = scope.move()
  return new OpenDns({ resolver, observers, log, server, snapshot, metrics, all })
}

function listenOptions(options: DnsOptions, resolver: Resolver) {
  const { namespace, reusePort = false, plainUdp = false, notice = () => {} } = options
  const { allow = [], limits = {}, clock = systemClock } = options
  const places = (options.listen ?? [`[::]:${usualPort}`]).map(text => ({
    ...parsePlace(text),
    ...(namespace && { namespace }),
    reusePort,
  }))
  const onPanic = (failure: unknown) =>
    notice(`a query was not answered: ${failure instanceof Error ? failure.stack : failure}`)
  return { resolver, places, allow, limits, clock, plain: plainUdp, onPanic }
}

function snapshotOf(resolver: Resolver, { counters }: DnsServer, figures: Snapshot['figures']): Snapshot {
  const { refused, panics, connections, crowdedOut, lost } = counters
  return {
    figures,
    counters: { ...resolver.counters },
    cached: { ...resolver.cached },
    server: { refused, panics, connections, crowdedOut, lost },
    upstreams: resolver.upstreams(),
  }
}

async function openMetrics(
  { metrics }: DnsOptions,
  { scope, server, snapshot }: { scope: Scope; server: DnsServer; snapshot: () => Snapshot },
) {
  if (metrics === undefined) return undefined
  const place = parsePlace(metrics, usualMetricsPort)
  const label = placeText(server.places[0]!)
  const { port } = scope.add(await serveMetrics(place, () => prometheusText(snapshot(), label)))
  return { address: place.address, port }
}

/** CoreDNS's default. */
export const usualMetricsPort = 9153

interface Parts {
  readonly resolver: Resolver
  readonly observers: Observers
  readonly log: QueryLog | undefined
  readonly server: DnsServer
  readonly snapshot: () => Snapshot
  readonly metrics: Dns['metrics']
  readonly all: Scope
}

class OpenDns implements Dns {
  readonly places: Dns['places']
  readonly metrics: Dns['metrics']
  readonly snapshot: () => Snapshot
  readonly #parts: Parts
  #events: QueryEvents | undefined

  constructor(parts: Parts) {
    this.places = parts.server.places
    this.metrics = parts.metrics
    this.snapshot = parts.snapshot
    this.#parts = parts
  }

  get address(): string {
    return this.places[0]!.address
  }

  get port(): number {
    return this.places[0]!.port
  }

  async query(filter: QueryFilter = {}, options: QueryOptions = {}): Promise<QueryEvent> {
    take('wait for query', filter, 'queryFilter')
    const { timeoutMs = 10_000, signal } = take('wait for query', options, 'wait')
    const queue = this.queries()
    const late = () => noQuery(filter, `no such query came within ${timeoutMs} ms`)
    try {
      const found = within(first(queue, filter), { clock: systemClock, ms: timeoutMs, late })
      return await unlessAborted(found, signal, reason => aborted('wait for query', 'forwarder', reason))
    } finally {
      queue.end()
    }
  }

  metricsText(): string {
    return prometheusText(this.snapshot(), placeText(this.places[0]!))
  }

  /** After the first listener every answer costs a little more. */
  queries(): Queue<QueryEvent> {
    if (!this.#events) {
      this.#events = new QueryEvents()
      this.#parts.observers.add(this.#events.note)
    }
    return this.#events.listen()
  }

  get faults(): FaultRules {
    return this.#parts.resolver.faults
  }

  setHosts(own: OwnHosts): void {
    this.#parts.resolver.setHosts(own)
  }

  async reload(): Promise<void> {
    await this.#parts.resolver.reload()
    await this.#parts.log?.reopen()
  }

  close(): Promise<void> {
    this.#events?.end()
    return this.#parts.all.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

async function first(queue: Queue<QueryEvent>, filter: QueryFilter): Promise<QueryEvent> {
  for await (const event of queue) if (fits(event, filter)) return event
  throw noQuery(filter, 'the forwarder was closed')
}

function noQuery({ name = 'any name', type = '' }: QueryFilter, reason: string): DnsError {
  const target = [name, type].filter(Boolean).join(' ')
  return new DnsError({ code: 'DNS_NO_QUERY', op: 'wait for a query of', target, reason })
}
