import { isSystemError } from '../../../base/index.ts'
import type { Message } from '../../wire/message.ts'
import { serverText } from '../conf/server.ts'
import { cancelled, cutShort, malformed, silent, unreachable } from '../failure.ts'
import { judgeStream } from './judge.ts'
import { Pending, TcpConnection } from './tcp-connection.ts'
import type { Try } from './udp.ts'

/** The most connections to one upstream at once. */
const mostOpen = 32
/** After so many connections that ended without its answer a query has failed. */
const mostLost = 3

/**
 * The connections to one upstream. A server may close after any answer (RFC 7766 §6.2.3), and many do after
 * the first. So a query shares a connection only when that has answered before, and the server has answered
 * two on one. A query whose connection ends without its answer is sent again, first and alone on a new one.
 */
export class TcpConnections {
  readonly #open = new Set<TcpConnection>()
  /** Queries that wait until a connection is free. */
  readonly #queue = new Set<Pending>()
  /** True when the server has answered a second query on a connection. */
  #answersSeveral = false
  #closed = false
  #sending = false

  async ask(ask: Try): Promise<Message | 'plain'> {
    const name = serverText(ask.server)
    if (ask.cancellation.cancelled) throw cancelled(name)
    if (this.#closed) throw unreachable(name, undefined)
    const pending = new Pending(ask)
    const abort = { cancel: () => pending.answer.reject(cancelled(name)) }
    const cancel = ask.clock.after(ask.ms, () => this.#timeOut(pending))
    ask.cancellation.add(abort)
    this.#queue.add(pending)
    this.#sendQueued()
    try {
      return await pending.answer.promise
    } finally {
      cancel()
      ask.cancellation.remove(abort)
      this.#release(pending)
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#open].map(connection => connection.close()))
    for (const { ask, answer } of this.#queue) answer.reject(unreachable(serverText(ask.server), undefined))
  }

  /** Not while it is at work: it may close a connection, whose end calls it again. */
  #sendQueued(): void {
    if (this.#sending || this.#closed) return
    this.#sending = true
    for (const pending of this.#queue) {
      const connection = this.#connectionFor(pending)
      if (!connection) break
      this.#queue.delete(pending)
      pending.connection = connection
      connection.send(pending)
    }
    this.#sending = false
  }

  #connectionFor(pending: Pending): TcpConnection | undefined {
    if (pending.lost === 0) {
      const usable = [...this.#open].find(connection => this.#takes(connection, pending))
      if (usable) return usable
    }
    if (this.#open.size >= mostOpen) this.#closeIdle()
    if (this.#open.size < mostOpen) return this.#connect(pending.ask)
    // A server known to answer several is trusted to do so before queries have to wait.
    if (!this.#answersSeveral) return undefined
    return [...this.#open].find(connection => connection.takes(pending.id))
  }

  #takes(connection: TcpConnection, { id }: Pending): boolean {
    if (!connection.takes(id)) return false
    return connection.idle || connection.answers > 1 || (this.#answersSeveral && connection.answers > 0)
  }

  #connect(ask: Try): TcpConnection {
    const connection = new TcpConnection(ask, {
      answered: (...given) => this.#answered(...given),
      ended: (...given) => this.#ended(...given),
    })
    this.#open.add(connection)
    return connection
  }

  #answered(connection: TcpConnection, pending: Pending, bytes: Buffer): void {
    const { ask, answer } = pending
    const result = judgeStream(ask, bytes)
    if (result === 'other') {
      ask.wrong()
      return
    }
    connection.answers++
    if (connection.answers > 1) this.#answersSeveral = true
    if (result === 'malformed' || result === 'truncated')
      answer.reject((result === 'truncated' ? cutShort : malformed)(serverText(ask.server)))
    else answer.resolve(result)
    this.#release(pending)
  }

  #ended(connection: TcpConnection, left: readonly Pending[], failure: Error | undefined): void {
    this.#open.delete(connection)
    if (connection.answers === 1 && left.length > 0) this.#answersSeveral = false
    const final = this.#closed || (failure !== undefined && !isSystemError(failure, 'ECONNRESET', 'EPIPE'))
    for (const pending of left) {
      pending.connection = undefined
      pending.lost++
      if (final || pending.lost >= mostLost)
        pending.answer.reject(unreachable(serverText(pending.ask.server), failure))
      else this.#queue.add(pending)
    }
    this.#sendQueued()
  }

  #timeOut(pending: Pending): void {
    const { ask, answer, connection } = pending
    answer.reject(silent(serverText(ask.server), ask.ms))
    if (!connection?.isStuck(pending)) return
    // No other answer came either: the connection is stuck, so the next query opens another.
    pending.connection = undefined
    connection.release(pending)
    void connection.close()
  }

  /** Of several connections that are idle one is enough: others cost the server a place each. */
  #release(pending: Pending): void {
    this.#queue.delete(pending)
    const { connection } = pending
    if (!connection) return
    pending.connection = undefined
    connection.release(pending)
    this.#sendQueued()
    const other = [...this.#open].some(
      each => each !== connection && each.answers > 0 && each.idle && each.takes(pending.id),
    )
    if (other && connection.idle) void connection.close()
  }

  #closeIdle(): void {
    for (const connection of this.#open) {
      if (!connection.idle) continue
      void connection.close()
      return
    }
  }
}
