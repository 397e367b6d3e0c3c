import { once } from 'node:events'
import type { AddressInfo, Server } from 'node:net'
import { type Deferred, defer, onAbort, type Port, systemClock } from '../../base/index.ts'
import { closed, isSyscallFailure, refused, SysError } from '../errors.ts'
import type { ConnectWait, StreamPlace } from './connect.ts'
import { SocketPort } from './socket-port.ts'

/** Connections that wait to be accepted. Further ones are closed: each takes a descriptor of this process. */
const mostWaiting = 16

/** Listens at the path of a unix socket, which it makes and removes, or at a TCP address; port 0 is any free one. */
export async function listenStream(place: StreamPlace): Promise<StreamListener> {
  const { createServer } = await import('node:net')
  const server = createServer()
  const listener = new StreamListener(server, place)
  server.listen(typeof place === 'string' ? { path: place } : { ...place })
  try {
    await once(server, 'listening')
    return listener
  } catch (failure) {
    throw isSyscallFailure(failure) ? refused('listen at', placeText(place), failure) : failure
  }
}

/** Connections of peers, one after the other. Its ports carry no file descriptors. */
export class StreamListener implements AsyncDisposable {
  readonly #server: Server
  readonly #place: StreamPlace
  readonly #arrived: SocketPort[] = []
  readonly #waiting = new Set<Deferred<Port>>()
  #isClosed = false

  constructor(server: Server, place: StreamPlace) {
    this.#server = server
    this.#place = place
    server.on('connection', socket => this.#take(new SocketPort(socket)))
  }

  /** Where it listens; of TCP with the port that the kernel chose. */
  get place(): StreamPlace {
    if (typeof this.#place === 'string') return this.#place
    const bound = this.#server.address() as AddressInfo | null
    return { ...this.#place, ...(bound && { port: bound.port }) }
  }

  /** The next connection. */
  async accept({ withinMs, signal, clock = systemClock }: ConnectWait): Promise<Port> {
    if (this.#isClosed) throw closed('listener')
    const arrived = this.#arrived.shift()
    if (arrived) return arrived
    const next = defer<Port>()
    const giveUp = () => {
      if (this.#waiting.delete(next)) next.reject(nothingCame(placeText(this.place)))
    }
    this.#waiting.add(next)
    const leave = onAbort(signal, giveUp)
    const cancel = clock.after(withinMs, giveUp)
    try {
      return await next.promise
    } finally {
      leave()
      cancel()
    }
  }

  /** Accepted connections stay. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#server.close()
    for (const next of this.#waiting) next.reject(closed('listener'))
    this.#waiting.clear()
    await Promise.all(this.#arrived.splice(0).map(port => port.close()))
    await new Promise(resolve => setImmediate(resolve)) // libuv removes the socket at the end of this turn
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #take(port: SocketPort): void {
    const [next] = this.#waiting
    if (next && this.#waiting.delete(next)) next.resolve(port)
    else if (this.#isClosed || this.#arrived.length >= mostWaiting) void port.close()
    else this.#arrived.push(port)
  }
}

function placeText(place: StreamPlace): string {
  return typeof place === 'string' ? place : `${place.host}:${place.port}`
}

function nothingCame(target: string): SysError {
  const reason = 'nothing connected'
  return new SysError({ code: 'SYSCALL_FAILED', op: 'accept a connection at', target, reason })
}
