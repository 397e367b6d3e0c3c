import type { Socket } from 'node:net'
import type { BufferPart } from '../../sys/index.ts'
import { type Asker, later } from '../types.ts'
import { Frames, framed, longestFrame, prefix } from '../wire/frames.ts'
import type { DnsService } from './handler.ts'
import type { StreamLimits } from './limits.ts'

export interface ConnectionOptions {
  readonly socket: Socket
  readonly service: DnsService
  readonly limits: StreamLimits
  readonly now: () => number
}

/** The answers of one turn are collected here, and sent in one piece. Shared: it is empty between turns. */
const scratch = Buffer.allocUnsafeSlow(4 * longestFrame)

/** One client over TCP. It can have any number of queries pending; each is answered when its answer is there. */
export class Connection implements Asker {
  readonly transport = 'tcp'
  readonly address: string
  readonly port: number
  readonly loopback: boolean
  /** The time of the last query, answer, or read of an answer. */
  lastUse: number
  readonly #options: ConnectionOptions
  readonly #socket: Socket
  readonly #frames = new Frames()
  readonly #query: BufferPart = { bytes: scratch, at: 0, length: 0 }
  readonly #into: BufferPart = { bytes: scratch, at: 0, length: 0 }
  #waiting = 0
  #ended = false

  constructor(options: ConnectionOptions) {
    const { socket } = options
    this.#options = options
    this.#socket = socket
    this.address = plainAddress(socket.remoteAddress ?? '')
    this.port = socket.remotePort ?? 0
    this.loopback = this.address === '::1' || this.address.startsWith('127.')
    this.lastUse = options.now()
    socket.setNoDelay(true)
    socket.on('data', piece => this.#received(piece))
    socket.on('drain', () => this.#drained())
    socket.on('end', () => this.#finished())
    socket.on('error', () => socket.destroy())
  }

  /** True when no query is pending and no answer is unread. */
  get idle(): boolean {
    return this.#waiting === 0 && this.#socket.writableLength === 0
  }

  /** True when answers wait because the client does not read them. */
  get stuck(): boolean {
    return this.#socket.writableLength > 0
  }

  end(): void {
    this.#socket.destroy()
  }

  #received(piece: Buffer): void {
    this.#frames.push(piece)
    this.#work()
  }

  /** Answers the complete queries, as long as the client reads the answers. */
  #work(): void {
    const into = this.#into
    let used = 0
    while (!this.#full && this.#frames.next(this.#query)) {
      this.lastUse = this.#options.now()
      into.at = used + prefix
      into.length = scratch.length - into.at
      const length = this.#options.service.answer(this.#query, this, into)
      if (length === later) void this.#answerLater()
      else if (length > 0) used = frame(used, length)
      if (used + longestFrame > scratch.length) used = this.#flush(used)
    }
    this.#flush(used)
    if (this.#full) this.#socket.pause()
    else if (this.#ended && this.idle) this.#socket.end()
  }

  get #full(): boolean {
    const { limits } = this.#options
    return this.#waiting >= limits.waiting || this.#socket.writableLength >= limits.unread
  }

  #flush(used: number): number {
    if (used > 0) this.#socket.write(Buffer.from(scratch.subarray(0, used)))
    return 0
  }

  async #answerLater(): Promise<void> {
    this.#waiting++
    const answer = await this.#options.service.resolve(this.#query, this)
    this.#waiting--
    if (this.#socket.destroyed) return
    this.lastUse = this.#options.now()
    if (answer) this.#socket.write(framed(answer))
    this.#goOn()
  }

  #drained(): void {
    this.lastUse = this.#options.now()
    this.#goOn()
  }

  #goOn(): void {
    if (this.#full) return
    if (this.#socket.isPaused()) this.#socket.resume()
    this.#work()
  }

  /** The client has ended its side. Its pending queries are still answered. */
  #finished(): void {
    this.#ended = true
    this.#work()
  }
}

function frame(at: number, length: number): number {
  scratch[at] = length >> 8
  scratch[at + 1] = length & 0xff
  return at + prefix + length
}

/** A socket for both families shows IPv4 addresses mapped into IPv6. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}
