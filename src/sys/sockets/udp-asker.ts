import { getSystemErrorName } from 'node:util'
import { type Binding, binding } from '../binding.ts'
import { closeFd } from '../descriptor.ts'
import { closed, isSyscallFailure } from '../errors.ts'
import { plainSockaddr } from './inet-socket.ts'
import { FdWatch } from './poll.ts'

/** A server, with the interface of a link-local address: `fe80::1%eth0`. */
export interface AskedPlace {
  readonly address: string
  readonly port: number
}

/** Takes what comes for a question. */
export interface UdpAnswers {
  /** A copy of a datagram from the server. */
  datagram(bytes: Buffer): void
  /** The machine or the network refused: with the kernel's `code`. */
  failed(failure: Error): void
}

/** struct ready, native/addon/inet.c: length, errno, descriptor, datagram. In words but for the datagram. */
const slot = { size: 65_536, length: 0, errno: 1, fd: 2, datagram: 16 }
const batch = 64
/** The most batches in one turn of the event loop. */
const mostBatches = 8
/** The bytes of a struct sockaddr_in: the address is of IPv4. */
const shortPlace = 16
/** The most sockets without a question that are kept. */
const mostFree = 256
const [EAGAIN, EINTR] = [11, 4]

/**
 * Sends questions over UDP, each from a port of its own: the kernel's random choice, which hears the server alone. All
 * sockets are watched by one epoll, and read in batches. That is a third of the cost of a `node:dgram` socket for each.
 * A socket whose question is over gives its port back, and serves another question with another port: that costs
 * less than a new socket.
 */
export class UdpAsker implements AsyncDisposable {
  readonly #binding: Binding = binding()
  readonly #watch: FdWatch
  readonly #bytes: Buffer
  readonly #words: Uint32Array
  /** By descriptor. */
  readonly #waiting: (UdpAnswers | undefined)[] = []
  /** By descriptor: the number of the batch before which its question was sent. */
  readonly #since: number[] = []
  /** Sockets without a question, which have no port: those for IPv4, those for IPv6. */
  readonly #free: readonly [number[], number[]] = [[], []]
  /** By descriptor. */
  readonly #places: Uint8Array[] = []
  #batches = 0
  #count = 0

  constructor() {
    const memory = new ArrayBuffer(batch * slot.size)
    this.#bytes = Buffer.from(memory)
    this.#words = new Uint32Array(memory)
    this.#watch = new FdWatch(this.#binding.createEpoll(), { readable: () => this.#drain() })
  }

  /** The bytes of a place, for {@link ask}. */
  static place({ address, port }: AskedPlace): Uint8Array {
    return plainSockaddr(address, port)
  }

  /** Sends a question. Returns its descriptor, for {@link end}. Throws the kernel's refusal, with its `code`. */
  ask(place: Uint8Array, question: Uint8Array, answers: UdpAnswers): number {
    if (this.#watch.closed) throw closed('UDP sockets')
    try {
      const free = this.#freeFor(place).pop() ?? -1
      const fd = this.#binding.askUdp(this.#watch.fd, free, place, question)
      this.#waiting[fd] = answers
      this.#since[fd] = this.#batches
      this.#places[fd] = place
      // While nothing is asked, it does not keep the process alive.
      if (this.#count++ === 0) this.#watch.reading(true)
      return fd
    } catch (thrown) {
      throw isSyscallFailure(thrown) ? failureOf(thrown.errno, thrown.syscall) : thrown
    }
  }

  /** Gives back the port of a question. */
  end(fd: number): void {
    if (this.#waiting[fd] === undefined) return
    this.#waiting[fd] = undefined
    if (--this.#count === 0) this.#watch.reading(false)
    const free = this.#freeFor(this.#places[fd]!)
    if (free.length >= mostFree) closeFd(fd)
    else {
      this.#binding.releaseUdp(fd)
      free.push(fd)
    }
  }

  close(): Promise<void> {
    for (const [fd, waiting] of this.#waiting.entries()) if (waiting) this.end(fd)
    for (const free of this.#free) for (const fd of free.splice(0)) closeFd(fd)
    return this.#watch.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #freeFor(place: Uint8Array): number[] {
    return this.#free[place.length === shortPlace ? 0 : 1]
  }

  #drain(): void {
    for (let turn = 0; turn < mostBatches && !this.#watch.closed && this.#count > 0; turn++) {
      this.#batches++
      const count = this.#binding.receiveReady(this.#watch.fd, this.#bytes)
      for (let i = 0; i < count; i++) this.#deliver(i)
      if (count < batch) return
    }
  }

  #deliver(index: number): void {
    const word = (index * slot.size) / 4
    const errno = this.#words[word + slot.errno]!
    const length = this.#words[word + slot.length]!
    const fd = this.#words[word + slot.fd]!
    const waiting = this.#waiting[fd]
    // An answer of the same batch may have ended the question, or put another one in its place.
    if (waiting === undefined || this.#since[fd] === this.#batches) return
    if (errno === EAGAIN || errno === EINTR) return
    if (errno !== 0) {
      waiting.failed(failureOf(errno, 'recv'))
      return
    }
    const start = index * slot.size + slot.datagram
    const copy = Buffer.allocUnsafe(length)
    this.#bytes.copy(copy, 0, start, start + length)
    waiting.datagram(copy)
  }
}

/** As node:dgram gives it. */
function failureOf(errno: number, syscall: string): Error {
  const code = getSystemErrorName(-errno)
  return Object.assign(new Error(`${syscall} ${code}`), { code, errno: -errno, syscall })
}
