import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import {
  type BufferPart,
  type DatagramService,
  type KeptSender,
  longestDatagram,
  openUdp,
  type Sender,
} from '../../sys/index.ts'
import type { NetPlace } from './address.ts'

/** A bound UDP socket. */
export interface Datagrams extends AsyncDisposable {
  readonly port: number
  /** Datagrams that were lost. */
  readonly lost: number
  serve(service: DatagramService): void
  close(): Promise<void>
}

/** In batches, through the addon. */
export function openBatched(place: NetPlace): Datagrams {
  return openUdp(place)
}

/** The longest answer sent over UDP. */
const room = 1280

/**
 * One datagram at a time, through node:dgram: for machines without the addon. Bound to `::`, its replies
 * leave from the address that the kernel prefers, not from the one that was queried.
 */
export async function openPlain({ address, port }: NetPlace): Promise<Datagrams> {
  const type = isIPv6(address.split('%')[0]!) ? 'udp6' : 'udp4'
  const socket = createSocket({ type })
  await new Promise<void>((resolve, reject) => {
    socket.once('error', failure => socket.close(() => reject(failure)))
    socket.bind({ address, port, exclusive: true }, () => {
      socket.removeAllListeners('error')
      resolve()
    })
  })
  return new PlainDatagrams(socket)
}

class PlainDatagrams implements Datagrams {
  lost = 0
  readonly #socket: Socket
  #closing: Promise<void> | undefined

  constructor(socket: Socket) {
    this.#socket = socket
    // An answer that cannot be sent is lost, as any UDP datagram may be.
    socket.on('error', () => this.lost++)
  }

  get port(): number {
    return this.#socket.address().port
  }

  serve(service: DatagramService): void {
    const into: BufferPart = { bytes: Buffer.alloc(room), at: 0, length: room }
    this.#socket.on('message', (bytes, from) => {
      if (bytes.length > longestDatagram) {
        this.lost++
        return
      }
      into.length = room
      const sender = new PlainSender(from, bytes, reply => this.#send(reply, from))
      const length = service.datagram({ bytes, at: 0, length: bytes.length }, sender, into)
      if (length > 0) this.#send(Uint8Array.prototype.slice.call(into.bytes, 0, length), from)
    })
  }

  close(): Promise<void> {
    this.#closing ??= new Promise(resolve => this.#socket.close(() => resolve()))
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #send(reply: Uint8Array, { address, port }: RemoteInfo): void {
    if (this.#closing !== undefined) return
    this.#socket.send(reply, port, address, failure => {
      if (failure) this.lost++
    })
  }
}

/** Each datagram has memory of its own, so there is nothing to copy. */
class PlainSender implements Sender, KeptSender {
  readonly bytes: Buffer
  readonly at = 0
  readonly address: string
  readonly port: number
  readonly loopback: boolean
  readonly #send: (bytes: Uint8Array) => void

  constructor({ address, port }: RemoteInfo, query: Buffer, send: (bytes: Uint8Array) => void) {
    this.bytes = query
    this.#send = send
    this.address = address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
    this.port = port
    this.loopback = this.address === '::1' || this.address.startsWith('127.')
  }

  get length(): number {
    return this.bytes.length
  }

  reply({ bytes, at, length }: BufferPart): void {
    this.#send(Uint8Array.prototype.slice.call(bytes, at, at + length))
  }

  keep(): KeptSender {
    return this
  }
}
