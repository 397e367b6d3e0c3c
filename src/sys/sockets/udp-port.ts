import { addressBytes, addressText } from '../../base/index.ts'
import { type Binding, binding } from '../binding.ts'
import * as kernel from '../constants.ts'
import { closed } from '../errors.ts'
import { resizeBuffer } from './buffer-size.ts'
import { bindInet, type InetPlace } from './inet-socket.ts'
import { FdWatch } from './poll.ts'
import { ReplyTrains } from './reply-trains.ts'
import { batch, mostBatches, slot } from './udp-slots.ts'

/** A part of a larger buffer. */
export interface BufferPart {
  bytes: Buffer
  at: number
  length: number
}

/** The sender of a datagram. */
export interface Sender {
  readonly address: string
  readonly port: number
  /** 127.0.0.0/8 and ::1. */
  readonly loopback: boolean
  /**
   * A copy of it and of its query, for a reply after {@link DatagramService.datagram} has returned: this object is
   * reused for another sender.
   */
  keep(query: BufferPart): KeptSender
}

/** A {@link Sender} that stays valid, and its query. */
export interface KeptSender extends Readonly<BufferPart> {
  readonly address: string
  readonly port: number
  /** Sends a reply, from the address that the query was sent to. It copies the reply. */
  reply(answer: BufferPart): void
}

/** Answers datagrams. */
export interface DatagramService {
  /**
   * Returns the length of the reply that it wrote at `into.at`, or 0 for none. Its arguments are valid until
   * it returns.
   */
  datagram(query: BufferPart, sender: Sender, into: BufferPart): number
}

const envelope = { from: slot.peer, to: slot.local + 16 }
const envelopeSize = envelope.to - envelope.from
/** Longer datagrams are dropped. Queries with options and padding can have some kilobytes. */
export const longestDatagram = slot.querySize
/** Room for some thousand datagrams, which arrive while this process is busy or not scheduled. */
const receiveBuffer = 4 << 20

/**
 * Opens a UDP socket for both families. Its replies leave from the address that the query was sent to. That
 * address accompanies each datagram only when the socket is bound to all addresses.
 */
export function openUdp(place: InetPlace): UdpPort {
  const { fd, port } = bindInet('udp', place)
  if (isUnspecified(place.address)) binding().setOption(fd, kernel.IPPROTO_IPV6, kernel.IPV6_RECVPKTINFO, 1)
  resizeBuffer(fd, 'receive', receiveBuffer)
  return new UdpPort(fd, port)
}

/** True for `::` and `0.0.0.0`, in any spelling. */
function isUnspecified(address: string): boolean {
  return addressBytes(address.split('%')[0]!).every(byte => byte === 0)
}

/**
 * Receives and sends datagrams in batches (recvmmsg, sendmmsg): one system call each way for up to 64 of
 * them.
 */
export class UdpPort implements AsyncDisposable {
  readonly port: number
  /** Datagrams too long for a query, and replies that the kernel did not take. */
  lost = 0
  readonly #binding: Binding = binding()
  readonly #watch: FdWatch
  readonly #batch = new Batch()
  readonly #late = new Batch()
  #waiting = 0
  #service: DatagramService | undefined

  /** Takes over the fd of a bound socket. */
  constructor(fd: number, port: number) {
    this.port = port
    this.#watch = new FdWatch(fd, { readable: () => this.#drain() })
  }

  serve(service: DatagramService): void {
    if (this.#watch.closed) throw closed('UDP socket')
    this.#service = service
    this.#watch.reading(true)
  }

  close(): Promise<void> {
    return this.#watch.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #drain(): void {
    for (let turn = 0; turn < mostBatches && !this.#watch.closed; turn++) {
      // It reads on after a batch that was not full: more has arrived meanwhile, and another turn of the
      // event loop costs more than this call.
      const count = this.#binding.receiveBatch(this.#watch.fd, this.#batch.bytes)
      if (count === 0) return
      this.#answer(count)
    }
  }

  #answer(count: number): void {
    const { bytes, words, trains } = this.#batch
    trains.clear()
    const query = { bytes, at: 0, length: 0 }
    const into = { bytes, at: 0, length: slot.replySize }
    const sender = new SlotSender(this.#batch, this)
    let replies = 0
    for (let start = 0; start < count * slot.size; start += slot.size) {
      query.length = words[start >> 2]!
      query.at = start + slot.query
      into.at = start + slot.reply
      into.length = slot.replySize
      sender.start = start
      if (query.length > slot.querySize) {
        this.lost++
        continue
      }
      const reply = this.#service!.datagram(query, sender, into)
      words[(start >> 2) + 1] = reply
      if (reply === 0) continue
      trains.add(start / slot.size)
      replies++
    }
    if (replies > 0) this.lost += replies - this.#binding.sendBatch(this.#watch.fd, bytes, count)
  }

  /** Replies sent in the same turn of the event loop leave in one batch. */
  send(to: Buffer, reply: BufferPart): void {
    if (this.#watch.closed) return
    if (reply.length > slot.replySize) {
      this.lost++
      return
    }
    if (this.#waiting === batch) this.#flush()
    const { bytes, words, trains } = this.#late
    const start = this.#waiting * slot.size
    to.copy(bytes, start + envelope.from, 0, envelopeSize)
    reply.bytes.copy(bytes, start + slot.reply, reply.at, reply.at + reply.length)
    words[(start >> 2) + 1] = reply.length
    if (this.#waiting === 0) {
      trains.clear()
      queueMicrotask(() => this.#flush())
    }
    trains.add(this.#waiting++)
  }

  #flush(): void {
    const count = this.#waiting
    this.#waiting = 0
    if (count === 0 || this.#watch.closed) return
    this.lost += count - this.#binding.sendBatch(this.#watch.fd, this.#late.bytes, count)
  }
}

/** Memory for 64 slots, as bytes and as host-order words. */
class Batch {
  readonly bytes: Buffer
  readonly words: Uint32Array
  readonly trains: ReplyTrains

  constructor() {
    const memory = new ArrayBuffer(batch * slot.size)
    this.bytes = Buffer.from(memory)
    this.words = new Uint32Array(memory)
    this.trains = new ReplyTrains(this.words, slot.size)
  }
}

/** The sender of the datagram in the slot at `start`. It formats the address only when that is read. */
class SlotSender implements Sender {
  start = 0
  readonly #batch: Batch
  readonly #socket: UdpPort

  constructor(slots: Batch, socket: UdpPort) {
    this.#batch = slots
    this.#socket = socket
  }

  get port(): number {
    return this.#batch.bytes.readUInt16BE(this.start + slot.peer + 2)
  }

  get address(): string {
    return peerText(this.#batch.bytes, this.start + slot.peer)
  }

  get loopback(): boolean {
    const { bytes, words } = this.#batch
    const at = this.start + slot.peer + 8
    const word = at >> 2
    if (words[word] !== 0 || words[word + 1] !== 0) return false
    if (words[word + 2] === 0xffff0000) return bytes[at + 12] === 127
    return words[word + 2] === 0 && words[word + 3] === 0x01000000
  }

  keep({ bytes, at, length }: BufferPart): KeptSender {
    // One piece of Node's pool: memory of its own costs a microsecond.
    const kept = Buffer.allocUnsafe(envelopeSize + length)
    this.#batch.bytes.copy(kept, 0, this.start + envelope.from, this.start + envelope.to)
    bytes.copy(kept, envelopeSize, at, at + length)
    return new KeptSlotSender(kept, this.#socket)
  }
}

/** A sender whose slot is used for others meanwhile. */
class KeptSlotSender implements KeptSender {
  /** From the peer's address to one's own, as in the slot; then the query. */
  readonly bytes: Buffer
  readonly #socket: UdpPort

  constructor(bytes: Buffer, socket: UdpPort) {
    this.bytes = bytes
    this.#socket = socket
  }

  get at(): number {
    return envelopeSize
  }

  get length(): number {
    return this.bytes.length - envelopeSize
  }

  get port(): number {
    return this.bytes.readUInt16BE(2)
  }

  get address(): string {
    return peerText(this.bytes, 0)
  }

  reply(answer: BufferPart): void {
    this.#socket.send(this.bytes, answer)
  }
}

/** The address in a struct sockaddr_in6, with a mapped IPv4 address as IPv4. */
function peerText(bytes: Buffer, at: number): string {
  const start = at + 8
  if (bytes.readUInt32BE(start + 8) === 0xffff && bytes.readUInt32LE(start) === 0)
    return `${bytes[start + 12]}.${bytes[start + 13]}.${bytes[start + 14]}.${bytes[start + 15]}`
  return addressText(bytes.subarray(start, start + 16))
}
