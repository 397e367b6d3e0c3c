import { type Binding, binding } from '../binding.ts'
import * as kernel from '../constants.ts'
import { closeFd } from '../descriptor.ts'
import { attempt } from '../errors.ts'
import { resizeBuffer } from './buffer-size.ts'
import { bindInet, type InetPlace, socketAddress } from './inet-socket.ts'
import { FdWatch } from './poll.ts'
import { batch, mostBatches, slot } from './udp-slots.ts'

/** Where datagrams go on to that have come to one side of a relay. */
export interface RelayWay {
  /** Their sender's address, or that which they were sent to: as the side has it. */
  readonly of: string
  /** The address and the port that they go on to. */
  readonly to: { readonly address: string; readonly port: number }
  /** The address that they leave from; it need not be this machine's. Default: the socket's own. */
  readonly from?: string | undefined
}

/** One of the two sockets of a relay. */
export interface RelaySide extends InetPlace {
  /** What says where a datagram goes on. */
  readonly by: 'sender' | 'destination'
  readonly ways: readonly RelayWay[]
  /** False for datagrams that go no further. Its arguments are valid until it returns. */
  readonly passes?: (bytes: Uint8Array, at: number, length: number) => boolean
}

/** What has come to one side of a relay, in datagrams. */
export interface RelayCounts {
  /** Sent on. */
  readonly passed: number
  /** Of an address that has no way. */
  readonly strange: number
  /** That did not pass, or are too long. */
  readonly refused: number
  /** That the kernel did not take: its buffer was full, or the way was closed. */
  readonly lost: number
}

/** The longest datagram that a relay passes on, in bytes. */
export const longestRelayed = slot.replySize
const receiveBuffer = 4 << 20
/** The most segments of one train (UDP_MAX_SEGMENTS, include/linux/udp.h), and its bytes with room for headers. */
const longestTrain = 65_000

/**
 * Passes datagrams on between two UDP sockets, which may be of different network namespaces: in batches, without a copy in
 * this process, and in their order for each peer. Those of one size to one peer leave as a train (UDP_SEGMENT).
 */
export class UdpRelay implements AsyncDisposable {
  readonly #ways: readonly [OneWay, OneWay]
  /** The ports of both sides. */
  readonly ports: readonly [number, number]

  /** Throws what the kernel refuses, with what it was. */
  static open(sides: readonly [RelaySide, RelaySide]): UdpRelay {
    const [first, fd] = openSide(sides[0])
    try {
      const [second, other] = openSide(sides[1])
      return new UdpRelay([first, second], [fd, other], sides)
    } catch (failure) {
      closeFd(fd)
      throw failure
    }
  }

  private constructor(
    ports: readonly [number, number],
    fds: readonly [number, number],
    sides: readonly [RelaySide, RelaySide],
  ) {
    this.ports = ports
    const one = new OneWay({ ...sides[0], fd: fds[0], out: fds[1] })
    const other = new OneWay({ ...sides[1], fd: fds[1], out: fds[0] })
    this.#ways = [one, other]
  }

  /** What has come to each side. */
  get counts(): readonly [RelayCounts, RelayCounts] {
    const [one, other] = this.#ways
    return [{ ...one.counts }, { ...other.counts }]
  }

  async close(): Promise<void> {
    const [one, other] = this.#ways
    await Promise.all([one.close(), other.close()])
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

function openSide(side: RelaySide): [port: number, fd: number] {
  const { fd, port } = bindInet('udp', side)
  const foreign = side.by === 'destination'
  try {
    resizeBuffer(fd, 'receive', receiveBuffer)
    resizeBuffer(fd, 'send', receiveBuffer)
    const option = (level: number, name: number, value: number) =>
      attempt('open relay', `${side.address}, UDP port ${port}`, () =>
        binding().setOption(fd, level, name, value),
      )
    if (foreign) option(kernel.IPPROTO_IPV6, kernel.IPV6_RECVPKTINFO, 1)
    if (foreign) option(kernel.IPPROTO_IPV6, kernel.IPV6_TRANSPARENT, 1)
    // As the kernel's own tunnels: a packet that is too large for a part of its way is fragmented there.
    option(kernel.IPPROTO_IP, kernel.IP_MTU_DISCOVER, kernel.PMTUDISC_DONT)
    option(kernel.IPPROTO_IPV6, kernel.IPV6_MTU_DISCOVER, kernel.PMTUDISC_DONT)
    return [port, fd]
  } catch (failure) {
    closeFd(fd)
    throw failure
  }
}

interface Way {
  readonly number: number
  /** Four words: IPv4 addresses are mapped ones. */
  readonly of: Uint32Array
  /** struct sockaddr_in6, in words. */
  readonly to: Uint32Array
  /** Four words, which are 0 for the socket's own address. */
  readonly from: Uint32Array
}

const addressAt = { sender: slot.peer + 8, destination: slot.local }
/** The words that a slot has of the datagram's peer and of the address that it leaves from. */
const [peerWords, addressWords] = [7, 4]

/**
 * What comes to one socket and leaves by the other. Datagrams are received as the queries of slots. Seen from
 * `slot.replySize` bytes further on, the same memory is slots whose replies are those datagrams: what is sent is what was
 * received, and its envelope lies in front of it, where a reply would have been.
 */
class OneWay {
  readonly counts = { passed: 0, strange: 0, refused: 0, lost: 0 }
  readonly #binding: Binding = binding()
  readonly #watch: FdWatch
  readonly #side: RelaySide & { readonly fd: number; readonly out: number }
  /** By a sum of their words. */
  readonly #ways = new Map<number, readonly Way[]>()
  readonly #received: Buffer
  readonly #sent: Buffer
  readonly #words: Uint32Array

  constructor(side: RelaySide & { readonly fd: number; readonly out: number }) {
    this.#side = side
    for (const [number, { of, to, from }] of side.ways.entries()) {
      const way = { number, of: wordsOf(of), to: placeOf(to.address, to.port), from: wordsOf(from) }
      const key = keyAt(way.of, 0)
      this.#ways.set(key, [...(this.#ways.get(key) ?? []), way])
    }
    const memory = new ArrayBuffer(batch * slot.size + slot.replySize)
    this.#received = Buffer.from(memory, 0, batch * slot.size)
    this.#sent = Buffer.from(memory, slot.replySize, batch * slot.size)
    this.#words = new Uint32Array(memory)
    this.#watch = new FdWatch(side.fd, { readable: () => this.#drain() })
    this.#watch.reading(true)
  }

  close(): Promise<void> {
    return this.#watch.close()
  }

  #drain(): void {
    for (let turn = 0; turn < mostBatches && !this.#watch.closed; turn++) {
      const count = this.#receive()
      if (count === 0) return
      const ready = this.#address(count)
      if (ready === 0) continue
      const sent = this.#binding.sendBatch(this.#side.out, this.#sent, count)
      this.counts.passed += sent
      this.counts.lost += ready - sent
    }
  }

  /** A datagram that could not be delivered is an error of the next call (ECONNREFUSED), once. */
  #receive(): number {
    try {
      return this.#binding.receiveBatch(this.#side.fd, this.#received)
    } catch {
      return 0
    }
  }

  /** Writes the envelopes. Returns how many datagrams have one. */
  #address(count: number): number {
    const { passes, by } = this.#side
    let ready = 0
    const train = { slot: -1, way: -1, length: 0, bytes: 0 }
    for (let i = 0; i < count; i++) {
      const start = i * slot.size
      const length = this.#words[start >> 2]!
      const envelope = (start + slot.replySize) >> 2
      const way = this.#find((start + addressAt[by]) >> 2)
      const fits = length > 0 && length <= longestRelayed
      if (!way) this.counts.strange++
      else if (!fits || (passes && !passes(this.#received, start + slot.query, length))) this.counts.refused++
      else {
        this.#write(envelope, way, length)
        this.#couple(train, { slot: i, way: way.number, length })
        ready++
        continue
      }
      this.#words[envelope + (slot.replyLength >> 2)] = 0
    }
    return ready
  }

  #find(at: number): Way | undefined {
    const words = this.#words
    const ways = this.#ways.get(keyAt(words, at))
    return ways?.find(
      ({ of }) =>
        of[3] === words[at + 3] && of[2] === words[at + 2] && of[1] === words[at + 1] && of[0] === words[at],
    )
  }

  #write(envelope: number, { to, from }: Way, length: number): void {
    const words = this.#words
    words[envelope + (slot.replyLength >> 2)] = length
    const peer = envelope + (slot.peer >> 2)
    for (let i = 0; i < peerWords; i++) words[peer + i] = to[i]!
    const local = envelope + (slot.local >> 2)
    for (let i = 0; i < addressWords; i++) words[local + i] = from[i]!
    words[envelope + (slot.next >> 2)] = 0
    words[envelope + (slot.follows >> 2)] = 0
  }

  /** Joins a datagram to the train before it. The last of a train may be shorter, and then ends it. */
  #couple(train: Train, { slot: at, way, length }: Pick<Train, 'slot' | 'way' | 'length'>): void {
    const joins = train.way === way && length <= train.length && train.bytes + length <= longestTrain
    if (joins) {
      const before = (train.slot * slot.size + slot.replySize) >> 2
      this.#words[before + (slot.next >> 2)] = at + 1
      this.#words[((at * slot.size + slot.replySize) >> 2) + (slot.follows >> 2)] = 1
    }
    train.way = joins && length < train.length ? -1 : way
    train.bytes = joins ? train.bytes + length : length
    train.slot = at
    train.length = length
  }
}

/** The train that the last datagram is in. */
interface Train {
  /** Of its last datagram. */
  slot: number
  /** -1 when nothing more fits. */
  way: number
  /** Of each datagram. */
  length: number
  bytes: number
}

function keyAt(words: Uint32Array, at: number): number {
  return words[at]! ^ words[at + 1]! ^ words[at + 2]! ^ words[at + 3]!
}

function placeOf(address: string, port: number): Uint32Array {
  return new Uint32Array(new Uint8Array(socketAddress(address, port)).buffer)
}

function wordsOf(address: string | undefined): Uint32Array {
  return address === undefined
    ? new Uint32Array(addressWords)
    : placeOf(address, 0).slice(2, 2 + addressWords)
}
