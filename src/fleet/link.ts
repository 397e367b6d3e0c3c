import { once } from 'node:events'
import type { TLSSocket } from 'node:tls'
import type { ClusterEvent } from '../api/index.ts'
import { type Clock, type ErrorJson, LineSplitter, messageOf, systemClock } from '../base/index.ts'
import type { Cpu } from './cpus.ts'

/** What a host says of itself before it has a part. */
export interface Hello {
  readonly type: 'hello'
  readonly rank: number
  readonly version: string
  readonly qemu: string
  /** A digest of the plan of the whole lab. */
  readonly lab: string
  /** The addresses of all hosts as this one knows them, by number. */
  readonly hosts: readonly string[]
  /** The UDP port of VXLAN. */
  readonly port: number
  /** Milliseconds since 1970. */
  readonly clock: number
  readonly freeMiB: number
  readonly processors: number
  /** The largest packet that leaves this host to any of the others. */
  readonly underlayMtu: number
  readonly cpu: Cpu
  /** This host's public key (X25519, base64), if the lab is to be encrypted. */
  readonly publicKey?: string | undefined
  /** What this host lacks that the lab needs, as half a sentence. */
  readonly lacks?: string | undefined
}

/** What the leader says when all hosts are there: the host of each node, and what holds between hosts. */
export interface Go {
  readonly type: 'go'
  readonly placement: readonly (readonly [node: number, host: number])[]
  readonly mtu: number
  /** The public keys of all hosts, by number, if the lab is encrypted. */
  readonly publicKeys?: readonly string[] | undefined
}

/** A message of the link between a member and its leader. */
export type LinkMessage =
  | Hello
  | Go
  /** The leader does not take this host, or the lab has failed. */
  | { readonly type: 'refused'; readonly error: ErrorJson }
  | { readonly type: 'event'; readonly event: ClusterEvent }
  /** A member has started its part; the leader says that all have. */
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly error: ErrorJson }
  /** The leader asks a member to stop; a member says that it has. */
  | { readonly type: 'stop' }
  | { readonly type: 'stopped' }
  | { readonly type: 'alive' }

export interface LinkHandlers {
  message(message: LinkMessage): void
  /** The other end has gone, or said nothing for too long. Called once, unless the link was closed here. */
  lost(reason: string): void
}

const everyMs = 1000
/** After this long without a word the other host counts as dead: while it starts, when it may make an image, and then. */
const [silentAtFirstMs, silentMs] = [30_000, 4000]

/** The link between a member and its leader: a JSON value a line. Each says every second that it is alive. */
export class Link {
  readonly #socket: TLSSocket
  readonly #handlers: LinkHandlers
  readonly #clock: Clock
  #heard: number
  #cancel = () => {}
  #open = true
  #longestMs = silentAtFirstMs

  constructor(socket: TLSSocket, handlers: LinkHandlers, clock: Clock = systemClock) {
    this.#socket = socket
    this.#handlers = handlers
    this.#clock = clock
    this.#heard = clock.now()
    const lines = new LineSplitter()
    socket.on('data', bytes => {
      this.#heard = this.#clock.now()
      try {
        for (const line of lines.push(bytes)) handlers.message(JSON.parse(line) as LinkMessage)
      } catch (failure) {
        this.#lose(`it sends what this version does not know: ${messageOf(failure)}`)
      }
    })
    socket.on('error', () => socket.destroy())
    socket.on('end', () => socket.destroy())
    socket.on('close', () => this.#lose('its process has ended'))
    this.#look()
  }

  /** The other end has started: from now on it has a word each second. */
  started(): void {
    this.#longestMs = silentMs
  }

  send(message: LinkMessage): void {
    if (this.#open) this.#socket.write(`${JSON.stringify(message)}\n`)
  }

  /** Sends what is left and closes. Nothing more is heard of it. */
  async close(): Promise<void> {
    this.#open = false
    this.#cancel()
    if (this.#socket.closed) return
    this.#cancel = this.#clock.after(everyMs, () => this.#socket.destroy())
    const closed = once(this.#socket, 'close')
    this.#socket.end()
    await closed.catch(() => {}) // an error comes before its close
    this.#cancel()
  }

  /** A look that is late itself says nothing of the other end: this process did not run, and has not read what came. */
  #look(due = this.#clock.now()): void {
    const now = this.#clock.now()
    const silence = now - this.#heard
    if (silence > this.#longestMs && now - due < everyMs) {
      this.#lose(`it has said nothing for ${Math.round(silence / 1000)} s`)
      return
    }
    this.send({ type: 'alive' })
    this.#cancel = this.#clock.after(everyMs, () => this.#look(now + everyMs))
  }

  #lose(reason: string): void {
    if (!this.#open) return
    this.#open = false
    this.#cancel()
    this.#socket.destroy()
    this.#handlers.lost(reason)
  }
}
