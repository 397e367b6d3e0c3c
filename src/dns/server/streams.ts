import { createServer, type Server, type Socket } from 'node:net'
import { type Clock, systemClock } from '../../base/index.ts'
import { Connection } from './connection.ts'
import type { DnsService } from './handler.ts'
import { idleLimit, type StreamLimits, usualLimits } from './limits.ts'

export interface StreamOptions {
  readonly service: DnsService
  readonly limits?: Partial<StreamLimits>
  readonly clock?: Clock
}

/** The interval of checks for idle connections, in milliseconds. */
const lookEvery = 1000

/** DNS over TCP (RFC 7766): many connections, each of which may stay as long as there is room. */
export class StreamServer implements AsyncDisposable {
  readonly #server: Server
  readonly #service: DnsService
  readonly #limits: StreamLimits
  readonly #clock: Clock
  readonly #connections = new Map<Socket, Connection>()
  readonly #perAddress = new Map<string, number>()
  /** Connections that were closed because there were too many. */
  crowdedOut = 0
  #stopLooking: (() => void) | undefined

  constructor({ service, limits, clock = systemClock }: StreamOptions) {
    this.#service = service
    this.#limits = { ...usualLimits, ...limits }
    this.#clock = clock
    this.#server = createServer({ allowHalfOpen: true }, socket => this.#accept(socket))
  }

  get open(): number {
    return this.#connections.size
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address ? address.port : 0
  }

  /** Listens on the fd of a bound socket, which the server owns from now on, or on an address. */
  listen(where: { fd: number } | { host: string; port: number }): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ ...where, backlog: 511 }, () => {
        this.#server.off('error', reject)
        // The process may be out of file descriptors: open connections are still served.
        this.#server.on('error', () => {})
        resolve()
      })
    })
  }

  async close(): Promise<void> {
    this.#stopLooking?.()
    this.#stopLooking = undefined
    for (const connection of this.#connections.values()) connection.end()
    if (!this.#server.listening) return
    await new Promise<void>(resolve => this.#server.close(() => resolve()))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #accept(socket: Socket): void {
    const now = () => this.#clock.now()
    const connection = new Connection({ socket, service: this.#service, limits: this.#limits, now })
    const { address } = connection
    if (!this.#haveRoom(address)) {
      this.crowdedOut++
      connection.end()
      return
    }
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1)
    this.#connections.set(socket, connection)
    socket.once('close', () => this.#gone(socket, address))
    this.#stopLooking ??= this.#clock.after(lookEvery, () => this.#look())
  }

  #gone(socket: Socket, address: string): void {
    if (!this.#connections.delete(socket)) return
    const left = this.#perAddress.get(address)! - 1
    if (left > 0) this.#perAddress.set(address, left)
    else this.#perAddress.delete(address)
  }

  /**
   * Makes room for a connection if there may be one more: at the cost of its own address when that has its
   * share, otherwise of the address that has the most. So a client that leaks connections closes its own.
   */
  #haveRoom(address: string): boolean {
    if ((this.#perAddress.get(address) ?? 0) >= this.#limits.perAddress)
      return this.#closeOldest(connection => connection.address === address)
    if (this.#connections.size < this.#limits.connections) return true
    const idle = new Set([...this.#connections.values()].filter(each => each.idle).map(each => each.address))
    const share = (each: string) => this.#perAddress.get(each)!
    const largest = Math.max(...[...idle].map(share))
    return this.#closeOldest(connection => share(connection.address) === largest)
  }

  /** Closes the one of these connections that has been idle longest. False when none is idle. */
  #closeOldest(may: (connection: Connection) => boolean): boolean {
    let oldest: [Socket, Connection] | undefined
    for (const entry of this.#connections)
      if (entry[1].idle && may(entry[1]) && entry[1].lastUse < (oldest?.[1].lastUse ?? Infinity))
        oldest = entry
    if (!oldest) return false
    this.crowdedOut++
    oldest[1].end()
    // Its place is free now, not only once the kernel has closed it.
    this.#gone(oldest[0], oldest[1].address)
    return true
  }

  #look(): void {
    const now = this.#clock.now()
    const idleMs = idleLimit(this.#limits, this.#connections.size)
    for (const connection of this.#connections.values()) {
      const quiet = now - connection.lastUse
      if (connection.stuck ? quiet > this.#limits.readMs : connection.idle && quiet > idleMs) connection.end()
    }
    this.#stopLooking =
      this.#connections.size > 0 ? this.#clock.after(lookEvery, () => this.#look()) : undefined
  }
}
