import { type Clock, Scope, systemClock } from '../../base/index.ts'
import type { Resolver } from '../types.ts'
import { Access } from './acl.ts'
import type { NetPlace } from './address.ts'
import { DnsService, type ServerCounters } from './handler.ts'
import type { StreamLimits } from './limits.ts'
import { type Listener, openListener } from './listener.ts'
import { ownAddresses } from './own-addresses.ts'

export interface ListenOptions {
  readonly resolver: Resolver
  readonly places: readonly NetPlace[]
  /** Networks that may send queries, besides this machine: `192.168.0.0/24`. */
  readonly allow?: readonly string[]
  /** The limits of TCP connections at each place. */
  readonly limits?: Partial<StreamLimits>
  /** Receives UDP through node:dgram even where the addon could. */
  readonly plain?: boolean
  readonly clock?: Clock
  /** Receives errors caused by bugs here, each of which cost one query its answer. */
  readonly onPanic?: (failure: unknown) => void
}

/** The listening sockets. */
export interface DnsServer extends AsyncDisposable {
  readonly places: readonly { readonly address: string; readonly port: number }[]
  readonly counters: Readonly<ServerCounters> & {
    /** TCP connections now, and those closed because there were too many. */
    readonly connections: number
    readonly crowdedOut: number
    /** Datagrams too long for a query, and answers that the kernel did not take. */
    readonly lost: number
  }
  close(): Promise<void>
}

/** Listens at all of the places, or at none. The caller keeps the resolver. */
export async function listen(options: ListenOptions): Promise<DnsServer> {
  const { resolver, places, allow, onPanic } = options
  await using scope = new Scope()
  // In another namespace the addresses of this one are those of other machines.
  const elsewhere = places.some(({ namespace }) => namespace !== undefined)
  const isOwn = elsewhere ? () => false : ownAddresses(options.clock ?? systemClock)
  const service = new DnsService(resolver, new Access({ ...(allow && { allow }), isOwn }))
  service.onPanic = onPanic
  const listeners: Listener[] = []
  for (const place of places) listeners.push(scope.add(await openListener(place, { ...options, service })))
  const all = scope.move()
  const close = () => all.close()
  return {
    places: listeners.map(({ address, port }) => ({ address, port })),
    get counters() {
      return {
        ...service.counters,
        connections: sum(listeners, ({ streams }) => streams.open),
        crowdedOut: sum(listeners, ({ streams }) => streams.crowdedOut),
        lost: sum(listeners, ({ datagrams }) => datagrams.lost),
      }
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

function sum(listeners: readonly Listener[], of: (listener: Listener) => number): number {
  return listeners.reduce((total, listener) => total + of(listener), 0)
}
