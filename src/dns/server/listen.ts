import { type Clock, Scope } from '../../base/index.ts'
import type { Resolver } from '../types.ts'
import { Access } from './acl.ts'
import type { NetPlace } from './address.ts'
import { DnsService, type ServerCounters } from './handler.ts'
import type { StreamLimits } from './limits.ts'
import { type Listener, openListener } from './listener.ts'

export interface ListenOptions {
  readonly resolver: Resolver
  readonly places: readonly NetPlace[]
  /** Networks that may ask besides this machine itself: `192.168.0.0/24`. */
  readonly allow?: readonly string[]
  /** What each place's TCP connections may take. */
  readonly limits?: Partial<StreamLimits>
  /** UDP by node:dgram even where the addon could do it. */
  readonly plain?: boolean
  readonly clock?: Clock
  /** Told of errors of our own, which cost one question its answer. */
  readonly onPanic?: (failure: unknown) => void
}

/** Sockets that questions come in by, as they stand. */
export interface DnsServer extends AsyncDisposable {
  readonly places: readonly { readonly address: string; readonly port: number }[]
  readonly counters: Readonly<ServerCounters> & {
    /** TCP connections now, and those ended because there were too many. */
    readonly connections: number
    readonly crowdedOut: number
    /** Datagrams too long for a question, and answers that the kernel did not take. */
    readonly lost: number
  }
  close(): Promise<void>
}

/** Opens all of the places, or none. The resolver stays the caller's. */
export async function listen(options: ListenOptions): Promise<DnsServer> {
  const { resolver, places, allow, onPanic } = options
  await using scope = new Scope()
  const service = new DnsService(resolver, new Access(allow))
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
