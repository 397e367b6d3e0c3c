import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2'
import { isSystemError } from '../../../base/index.ts'
import type { Message } from '../../wire/message.ts'
import { type Server, serverText } from '../conf/server.ts'
import { badHttp, cancelled, cutShort, malformed, silent, unreachable } from '../failure.ts'
import { judgeStream } from './judge.ts'
import type { TlsDialer } from './tls.ts'
import type { Try } from './udp.ts'

const mediaType = 'application/dns-message'
const longestAnswer = 0xffff
const idleMs = 10_000
/** After so many connections that ended without its answer a query has failed. */
const mostLost = 3

/** An answer as it came. */
interface Reply {
  readonly status: number
  readonly type: string
  /** Seconds that caches on the way have kept it. */
  readonly age: number
  readonly body: Buffer
}

/** A connection that ended without the answer. */
class Lost extends Error {}

/** One connection to a DNS server over HTTPS, with all queries on it at once (RFC 8484, HTTP/2). */
export class HttpsConnection {
  readonly #dialer: TlsDialer
  #session: ClientHttp2Session | undefined
  #failure: Error | undefined
  #pending = 0
  #heardAt = Number.NEGATIVE_INFINITY
  #cancelIdle = () => {}
  #closed = false

  constructor(dialer: TlsDialer) {
    this.#dialer = dialer
  }

  /** Its query needs the id 0, so that caches on the way can help (RFC 8484 §4.1). */
  async ask(ask: Try): Promise<Message | 'plain'> {
    const end = ask.clock.now() + ask.ms
    for (let lost = 0, left = ask.ms; ; left = end - ask.clock.now()) {
      try {
        return judged(ask, await this.#post(ask, left))
      } catch (failure) {
        if (!(failure instanceof Lost)) throw failure
        if (++lost >= mostLost || this.#closed) throw unreachable(serverText(ask.server), failure.cause)
      }
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#cancelIdle()
    const session = this.#session
    if (!session || session.destroyed) return
    await new Promise<void>(resolve => {
      session.once('close', resolve)
      session.destroy()
    })
  }

  #post(ask: Try, ms: number): Promise<Reply> {
    const { server, clock, cancellation, wire } = ask
    const name = serverText(server)
    if (cancellation.cancelled) return Promise.reject(cancelled(name))
    if (this.#closed) return Promise.reject(unreachable(name, undefined))
    const session = this.#open(server)
    const stream = session.request(headersOf(server, wire.length))
    const sentAt = clock.now()
    this.#cancelIdle()
    this.#pending++
    return new Promise<Reply>((resolve, reject) => {
      const abort = { cancel: () => reject(cancelled(name)) }
      const cancel = clock.after(ms, () => {
        reject(silent(name, ms))
        // Nothing else came either: the connection is stuck, so the next query opens another.
        if (this.#heardAt < sentAt) this.#drop(session)
      })
      cancellation.add(abort)
      receive(stream, {
        got: reply => {
          this.#heardAt = clock.now()
          resolve(reply)
        },
        tooLong: () => reject(malformed(name)),
        lost: failure => reject(this.#lost(name, session, failure)),
        over: () => {
          cancel()
          cancellation.remove(abort)
        },
      })
      stream.end(wire)
    }).finally(() => {
      if (!stream.destroyed) stream.close(constants.NGHTTP2_CANCEL)
      if (--this.#pending === 0 && !this.#closed)
        this.#cancelIdle = clock.after(idleMs, () => this.#drop(session))
    })
  }

  /** Refused, or lost with its connection: then it is asked again. */
  #lost(name: string, session: ClientHttp2Session, failure: Error | undefined): Error {
    const cause = this.#failure ?? failure
    this.#drop(session)
    const isLost = cause === undefined || isSystemError(cause, 'ECONNRESET', 'EPIPE') || isHttp2(cause)
    return isLost ? new Lost('', { cause }) : unreachable(name, cause)
  }

  #open(server: Server): ClientHttp2Session {
    const open = this.#session
    if (open && !open.closed && !open.destroyed) return open
    this.#failure = undefined
    const socket = this.#dialer.connect(server, 'h2')
    // The session's own error says only that its socket has ended.
    socket.on('error', failure => {
      if (this.#session === session) this.#failure = failure
    })
    const session = connect(`https://${serverAuthority(server)}`, {
      createConnection: () => socket,
      settings: { enablePush: false },
    })
    session.on('error', () => {})
    // Streams that the server has taken still get their answers.
    session.on('goaway', () => session.close())
    this.#session = session
    return session
  }

  #drop(session: ClientHttp2Session): void {
    if (this.#session === session) this.#session = undefined
    if (!session.destroyed) session.destroy()
  }
}

function serverAuthority({ address, port, secure }: Server): string {
  return `${secure?.name ?? (address.includes(':') ? `[${address}]` : address)}:${port}`
}

function headersOf(server: Server, length: number) {
  return {
    ':method': 'POST',
    ':path': server.secure!.path,
    ':authority': serverAuthority(server),
    'content-type': mediaType,
    accept: mediaType,
    'content-length': length,
  }
}

interface Receiver {
  got(reply: Reply): void
  tooLong(): void
  lost(failure: Error | undefined): void
  over(): void
}

function receive(stream: ClientHttp2Stream, { got, tooLong, lost, over }: Receiver): void {
  const pieces: Buffer[] = []
  let head: Pick<Reply, 'status' | 'type' | 'age'> | undefined
  let size = 0
  let failure: Error | undefined
  stream.on('response', headers => {
    const type = String(headers['content-type'] ?? '')
      .split(';')[0]!
      .trim()
      .toLowerCase()
    const age = Number(headers.age ?? 0)
    head = { status: Number(headers[':status']), type, age: age > 0 ? Math.floor(age) : 0 }
  })
  stream.on('data', (piece: Buffer) => {
    size += piece.length
    if (size > longestAnswer) tooLong()
    else pieces.push(piece)
    if (size > longestAnswer) stream.close(constants.NGHTTP2_CANCEL)
  })
  let done = false
  stream.on('end', () => {
    done = head !== undefined && size <= longestAnswer && failure === undefined
    if (done) got({ ...head!, body: Buffer.concat(pieces) })
  })
  stream.on('error', error => {
    failure = error
  })
  stream.on('close', () => {
    over()
    if (!done && size <= longestAnswer) lost(failure)
  })
}

function judged(ask: Try, { status, type, age, body }: Reply): Message | 'plain' {
  const name = serverText(ask.server)
  if (status !== 200) throw badHttp(name, `its HTTP status is ${status}`)
  if (type !== mediaType) throw badHttp(name, `its answer is not ${mediaType}`)
  const result = judgeStream(ask, body)
  if (result === 'truncated') throw cutShort(name)
  if (result === 'other') ask.wrong()
  if (result === 'other' || result === 'malformed') throw malformed(name)
  if (age > 0 && result !== 'plain') lowerTtls(result, age)
  return result
}

/** A cache on the way has not counted the TTLs down (RFC 8484 §5.1). */
function lowerTtls({ bytes, records, opt }: Message, age: number): void {
  for (const record of records)
    if (record !== opt) bytes.writeUInt32BE(Math.max(0, bytes.readUInt32BE(record.ttlAt) - age), record.ttlAt)
}

function isHttp2({ code }: Error & { code?: unknown }): boolean {
  return typeof code === 'string' && code.startsWith('ERR_HTTP2_')
}
