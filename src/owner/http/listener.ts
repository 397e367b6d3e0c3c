import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { messageOf } from '../../base/index.ts'
import { peerCredentials } from '../../sys/index.ts'
import { descriptorOf } from './descriptor.ts'

/** Answers the requests that arrive on a socket. */
export interface Answering {
  request(request: IncomingMessage, response: ServerResponse): void
  upgrade(request: IncomingMessage, peer: Duplex): void
  close(): Promise<void>
}

export interface ListenOptions {
  readonly socket: string
  /** Loads what answers. Called once, when it is needed. */
  load(server: Server): Promise<Answering>
  readonly log: (text: string) => void
}

/**
 * A unix socket that speaks HTTP with its user and root alone. It listens at once. What answers is loaded at the first
 * request, or by {@link load}: fastify and zod take 0.15 s of processor time, which the guests of a starting cluster
 * need more.
 */
export class Listener {
  readonly #server: Server
  readonly #options: ListenOptions
  readonly #upgraded = new Set<Duplex>()
  /** Connected, without a request yet. Node does not count them as idle. */
  readonly #silent = new Set<Duplex>()
  #answering: Promise<Answering> | undefined
  #closed: Promise<unknown> | undefined

  static async open(options: ListenOptions): Promise<Listener> {
    // The sender of a body may take as long as it needs.
    const server = createServer({ requestTimeout: 0 })
    const listener = new Listener(server, options)
    await once(server.listen(options.socket), 'listening')
    return listener
  }

  private constructor(server: Server, options: ListenOptions) {
    this.#server = server
    this.#options = options
    server.on('connection', (peer: Socket) => {
      if (!isOurs(peer)) return peer.destroy()
      this.#silent.add(peer)
      peer.on('close', () => this.#silent.delete(peer))
    })
    server.on('request', (request, response) => {
      this.#silent.delete(request.socket)
      this.#whenLoaded(answering => answering.request(request, response), response)
    })
    server.on('upgrade', (request: IncomingMessage, peer: Duplex) => {
      this.#silent.delete(peer)
      this.#upgraded.add(peer)
      peer.on('error', () => {}) // `close` follows
      peer.on('close', () => this.#upgraded.delete(peer))
      this.#whenLoaded(answering => answering.upgrade(request, peer), peer)
    })
  }

  /** Loads what answers, so that the first request need not wait for it. */
  load(): void {
    this.#loaded().catch(failure => this.#options.log(`the API does not load: ${messageOf(failure)}`))
  }

  /** Refuses new connections. Open ones stay. */
  stopListening(): void {
    this.#closed ??= once(this.#server.close(), 'close')
  }

  /** Closes upgraded and silent connections, and resolves when every answer has been sent. */
  async close(): Promise<void> {
    this.stopListening()
    for (const peer of [...this.#upgraded, ...this.#silent]) peer.destroy()
    this.#server.closeIdleConnections()
    await this.#answering?.then(
      answering => answering.close(),
      () => {},
    )
    await this.#closed
  }

  #loaded(): Promise<Answering> {
    this.#answering ??= this.#options.load(this.#server)
    return this.#answering
  }

  #whenLoaded(answer: (answering: Answering) => void, peer: { destroy(): void }): void {
    this.load()
    this.#loaded().then(answer, () => peer.destroy())
  }
}

/** The mode of the directory keeps other users out. This check holds even if that mode is changed. */
function isOurs(peer: Socket): boolean {
  const fd = descriptorOf(peer)
  if (fd === undefined) return false
  const { uid } = peerCredentials(fd)
  return uid === 0 || uid === process.geteuid?.()
}
