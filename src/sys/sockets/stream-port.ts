import { Allowance, type Clock, type Port, type PortReceiver, systemClock, until } from '../../base/index.ts'
import { binding, type Received } from '../binding.ts'
import { MSG_CMSG_CLOEXEC, SO_PEERCRED, SOCK_STREAM, SOL_SOCKET } from '../constants.ts'
import { closeFd } from '../descriptor.ts'
import { attempt, closed, isSyscallFailure, refused, SysError } from '../errors.ts'
import { FdWatch } from './poll.ts'

/** A pair of connected unix stream sockets, for two processes, as fds that the caller closes or hands over. */
export function socketPair(): [number, number] {
  return attempt('create', 'socket pair', () => binding().socketPair(SOCK_STREAM))
}

/**
 * A port over the fd of a connected unix stream socket. It owns the fd from now on. `share` is for a peer that may
 * flood: of each second, the milliseconds that this process may spend on what it sends, with a burst of five seconds'
 * worth. Beyond that the port is not read, and the peer has to wait. What its receiver has asked for does not count.
 */
export function adoptStream(fd: number, options: { readonly share?: number } = {}): StreamPort {
  return new StreamPort(fd, options.share)
}

/**
 * Connects to a listening unix stream socket. While the socket's queue is full it waits, for at most
 * `timeoutMs` (default 1000).
 */
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

/** The process that connected, listened, or made the pair. The kernel vouches for it, not the peer. */
export function peerCredentials(fd: number): { pid: number; uid: number; gid: number } {
  const ucred = new Uint32Array(3)
  attempt('read the peer of', `file descriptor ${fd}`, () =>
    binding().getOption(fd, SOL_SOCKET, SO_PEERCRED, new Uint8Array(ucred.buffer)),
  )
  const [pid, uid, gid] = ucred as unknown as [number, number, number]
  return { pid, uid, gid }
}

/** The buffer of one read. All streams share it: it is copied from before any other code can run. */
const buffer = new Uint8Array(64 << 10)

/** Milliseconds. */
const longestRest = 250

interface Piece {
  readonly bytes: Uint8Array
  /** Duplicates, closed once sent: the caller may close the originals as soon as `send` has returned. */
  readonly fds?: readonly number[]
}

/** A connected unix stream that carries file descriptors both ways. The receiver may keep the bytes. */
export class StreamPort implements Port {
  readonly #watch: FdWatch
  readonly #waiting: Piece[] = []
  readonly #allowed: Allowance | undefined
  #cancelRest = () => {}
  #receiver: PortReceiver | undefined
  #gone = false

  /** Takes over the fd. */
  constructor(fd: number, share?: number) {
    if (share !== undefined)
      this.#allowed = new Allowance({ clock: systemClock, most: 5 * share, perSecond: share })
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

  /**
   * Never waits: bytes that do not fit into the socket now are kept. It does not report a closed peer: `end`
   * does.
   */
  send(bytes: Uint8Array, fds?: readonly number[]): void {
    if (this.#watch.closed) throw closed('stream')
    if (this.#gone || bytes.length === 0) return
    const sent = this.#waiting.length > 0 ? 0 : this.#transmit({ bytes, ...(fds && { fds }) })
    if (sent === 0) this.#keep(bytes, fds)
    else if (sent < bytes.length) this.#keep(bytes.subarray(sent))
  }

  /** Closes at once. Bytes that were kept because the socket was full are dropped. */
  close(): Promise<void> {
    this.#cancelRest()
    this.#drop()
    return this.#watch.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #read(): void {
    const began = performance.now()
    const isAsked = this.#readPiece()
    const left = this.#allowed?.use(isAsked ? 0 : performance.now() - began) ?? 0
    if (left < 0 && !this.#gone) this.#rest(this.#allowed!.waitMs)
  }

  /** Reads nothing for that time, and not for long: the end of the stream would be found as late. */
  #rest(ms: number): void {
    this.#watch.reading(false)
    this.#cancelRest = systemClock.after(Math.min(Math.max(ms, 10), longestRest), () =>
      this.#watch.reading(true),
    )
  }

  /** True when the receiver has asked for it. */
  #readPiece(): boolean {
    const received = this.#take()
    if (!received) return false
    if (received.truncated) this.#end(lostDescriptors())
    else if (received.length === 0) this.#end(undefined)
    else return this.#receiver?.data(Buffer.from(buffer.subarray(0, received.length)), received.fds) === true
    return false
  }

  /** Undefined when there is nothing to read. */
  #take(): Received | undefined {
    try {
      return binding().receive(this.#watch.fd, buffer, MSG_CMSG_CLOEXEC)
    } catch (thrown) {
      if (!isSyscallFailure(thrown)) throw thrown
      const failure = refused('receive', 'stream', thrown)
      // The peer was killed before it read all bytes: that is an ordinary end.
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
      if (sent > 0) for (const fd of piece.fds ?? []) closeFd(fd)
      if (sent === piece.bytes.length) continue
      this.#waiting.unshift(sent > 0 ? { bytes: piece.bytes.subarray(sent) } : piece)
      return
    }
    this.#watch.writing(false)
  }

  /** The number of bytes sent. The fds go with the first of them. */
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
    for (const piece of this.#waiting.splice(0)) for (const fd of piece.fds ?? []) closeFd(fd)
    this.#watch.writing(false)
  }
}

function lostDescriptors(): SysError {
  const reason =
    'the kernel dropped file descriptors that came with the data (is the limit of open files reached?)'
  return new SysError({ code: 'DESCRIPTORS_LOST', op: 'receive', target: 'stream', reason })
}
