import { closeSync } from 'node:fs'
import { type Clock, type Port, type PortReceiver, systemClock, until } from '../../base/index.ts'
import { binding, type Received } from '../binding.ts'
import { SOCK_STREAM } from '../constants.ts'
import { attempt, closed, isSyscallFailure, refused, SysError } from '../errors.ts'
import { FdWatch } from './poll.ts'

/** Both ends of a unix stream, for two processes, as fds that the caller closes or hands over. */
export function socketPair(): [number, number] {
  return attempt('create', 'socket pair', () => binding().socketPair(SOCK_STREAM))
}

/** Speaks over the fd of a connected unix stream socket, and owns it from now on. */
export function adoptStream(fd: number): StreamPort {
  return new StreamPort(fd)
}

/** Connects to a listening unix stream. Waits while its queue is full, `timeoutMs` at most (default 1000). */
export async function connectStream(
  path: string,
  options: { timeoutMs?: number; clock?: Clock } = {},
): Promise<StreamPort> {
  const { timeoutMs = 1000, clock = systemClock } = options
  let full: unknown
  const connect = () => {
    try {
      return new StreamPort(attempt('connect to', path, () => binding().connectUnix(path)))
    } catch (failure) {
      if (!(failure instanceof SysError && failure.errnoName === 'EAGAIN')) throw failure
      full = failure
      return undefined
    }
  }
  const port = await until(clock, connect, { everyMs: 5, withinMs: timeoutMs, why: 'room to connect' })
  if (!port) throw full
  return port
}

/** Who connected, listened, or made the pair: as the kernel knows it, not as they say. */
export function peerCredentials(fd: number): { pid: number; uid: number; gid: number } {
  return attempt('ask who is at', `file descriptor ${fd}`, () => binding().peerCredentials(fd))
}

/** One read's worth. Shared by all streams: it is copied from before anything else can run. */
const buffer = new Uint8Array(64 << 10)

interface Piece {
  readonly bytes: Uint8Array
  /** Duplicates, closed once sent: the caller may close the originals when `send` has returned. */
  readonly fds?: readonly number[]
}

/** A connected unix stream that carries file descriptors both ways. Bytes are the receiver's to keep. */
export class StreamPort implements Port {
  readonly #watch: FdWatch
  readonly #waiting: Piece[] = []
  #receiver: PortReceiver | undefined
  #gone = false

  /** Takes over the fd. */
  constructor(fd: number) {
    this.#watch = new FdWatch(fd, { readable: () => this.#read(), writable: () => this.#flush() })
  }

  get fd(): number {
    return this.#watch.fd
  }

  receive(receiver: PortReceiver): void {
    if (this.#watch.closed) throw closed('stream')
    this.#receiver = receiver
    this.#watch.reading(true)
  }

  /** Never waits: what does not fit into the socket now is kept. To somebody who is gone it says nothing: `end` does. */
  send(bytes: Uint8Array, fds?: readonly number[]): void {
    if (this.#watch.closed) throw closed('stream')
    if (this.#gone || bytes.length === 0) return
    const sent = this.#waiting.length > 0 ? 0 : this.#transmit({ bytes, ...(fds && { fds }) })
    if (sent === 0) this.#keep(bytes, fds)
    else if (sent < bytes.length) this.#keep(bytes.subarray(sent))
  }

  /** At once: what was kept because the socket was full is dropped. */
  close(): Promise<void> {
    this.#drop()
    return this.#watch.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #read(): void {
    const received = this.#take()
    if (!received) return
    if (received.truncated) this.#end(lostDescriptors())
    else if (received.length === 0) this.#end(undefined)
    else this.#receiver?.data(Buffer.from(buffer.subarray(0, received.length)), received.fds)
  }

  /** Undefined when nothing is there. */
  #take(): Received | undefined {
    try {
      return binding().receive(this.#watch.fd, buffer)
    } catch (thrown) {
      if (!isSyscallFailure(thrown)) throw thrown
      const failure = refused('receive', 'stream', thrown)
      // Somebody who was killed with our bytes unread: gone all the same.
      this.#end(failure.errnoName === 'ECONNRESET' ? undefined : failure)
      return undefined
    }
  }

  #end(failure: SysError | undefined): void {
    this.#gone = true
    this.#drop()
    this.#watch.reading(false)
    const receiver = this.#receiver
    this.#receiver = undefined
    receiver?.end(failure)
  }

  #keep(bytes: Uint8Array, fds?: readonly number[]): void {
    const duplicates = fds?.map(fd => binding().duplicate(fd))
    this.#waiting.push({ bytes: bytes.slice(), ...(duplicates && { fds: duplicates }) })
    this.#watch.writing(true)
  }

  #flush(): void {
    for (let piece = this.#waiting.shift(); piece; piece = this.#waiting.shift()) {
      const sent = this.#transmit(piece)
      if (sent > 0) for (const fd of piece.fds ?? []) closeSync(fd)
      if (sent === piece.bytes.length) continue
      this.#waiting.unshift(sent > 0 ? { bytes: piece.bytes.subarray(sent) } : piece)
      return
    }
    this.#watch.writing(false)
  }

  /** How many bytes went. The fds go with the first of them. */
  #transmit({ bytes, fds }: Piece): number {
    try {
      return binding().send(this.#watch.fd, bytes, fds) ?? 0
    } catch (thrown) {
      if (!isSyscallFailure(thrown)) throw thrown
      const known = refused('send', 'stream', thrown)
      if (known.errnoName !== 'EPIPE' && known.errnoName !== 'ECONNRESET') throw known
      this.#gone = true
      return bytes.length
    }
  }

  #drop(): void {
    for (const piece of this.#waiting.splice(0)) for (const fd of piece.fds ?? []) closeSync(fd)
    this.#watch.writing(false)
  }
}

function lostDescriptors(): SysError {
  const reason = 'file descriptors that came with the bytes were lost (limit of open files?)'
  return new SysError({ code: 'DESCRIPTORS_LOST', op: 'receive', target: 'stream', reason })
}
