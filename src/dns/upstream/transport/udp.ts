import type { UdpAnswers } from '../../../sys/index.ts'
import type { Message } from '../../wire/message.ts'
import type { Cancellable, Cancellation } from '../cancellation.ts'
import type { Server } from '../conf/server.ts'
import type { Delay, Delays, Waiting } from '../delays.ts'
import { cancelled, malformed, silent, unreachable } from '../failure.ts'
import { judgeDatagram, type Sent } from './judge.ts'
import type { Dialer } from './sockets.ts'

/** One attempt at a query. */
export interface Try extends Sent {
  readonly server: Server
  /** Of the server, for people. */
  readonly name: string
  readonly dialer: Dialer
  readonly clock: Delays
  readonly cancellation: Cancellation
  readonly ms: number
  /** Called for an answer that does not match. The attempt continues to wait. */
  wrong(): void
}

/**
 * An answer, `tcp` when the query must be repeated over TCP, or `plain` when it must be repeated without
 * EDNS.
 */
export type UdpResult = Message | 'tcp' | 'plain'

/** After so many datagrams that do not match, further ones on the same socket are not worth reading. */
const flood = 10_000

/** Takes the result of an attempt, one of both, and never while it is being sent. */
export interface UdpReceiver {
  received(result: UdpResult): void
  /** With a DnsError. */
  failed(failure: unknown): void
}

/**
 * Queries over UDP from a socket of its own: a forger must guess its random port and the random id (RFC 5452
 * §4). A wrong guess changes nothing, because the attempt continues to wait.
 */
export function askUdp(ask: Try, receiver: UdpReceiver): void {
  if (ask.cancellation.cancelled) queueMicrotask(() => receiver.failed(cancelled(ask.name)))
  else new UdpAttempt(ask, receiver).send()
}

/** A pending query. One object does all that closures could: there are thousands a second. */
class UdpAttempt implements UdpAnswers, Cancellable, Waiting {
  readonly #ask: Try
  readonly #receiver: UdpReceiver
  readonly #delay: Delay
  #close: number | (() => void) | undefined
  #settled = false
  #sent = false
  #wrong = 0

  constructor(ask: Try, receiver: UdpReceiver) {
    this.#ask = ask
    this.#receiver = receiver
    this.#delay = ask.clock.start(ask.ms, this)
    ask.cancellation.add(this)
  }

  send(): void {
    this.#close = this.#open()
    this.#sent = true
    if (this.#settled) this.#closeSocket()
  }

  datagram(bytes: Buffer): void {
    const ask = this.#ask
    if (this.#settled) return
    const result = judgeDatagram(ask, bytes)
    if (result === 'other') ask.wrong()
    if (result === 'malformed' || (result === 'other' && ++this.#wrong >= flood))
      this.#fail(malformed(ask.name))
    else if (result !== 'other') {
      this.#end()
      if (this.#sent) this.#receiver.received(result)
      else queueMicrotask(() => this.#receiver.received(result))
    }
  }

  failed(failure: Error): void {
    this.#fail(unreachable(this.#ask.name, failure))
  }

  cancel(): void {
    this.#fail(cancelled(this.#ask.name))
  }

  due(): void {
    this.#fail(silent(this.#ask.name, this.#ask.ms))
  }

  #fail(failure: Error): void {
    if (this.#settled) return
    this.#end()
    if (this.#sent) this.#receiver.failed(failure)
    else queueMicrotask(() => this.#receiver.failed(failure))
  }

  #end(): void {
    this.#settled = true
    this.#delay.cancel()
    this.#ask.cancellation.remove(this)
    this.#closeSocket()
  }

  #closeSocket(): void {
    const close = this.#close
    this.#close = undefined
    if (typeof close === 'number') this.#ask.dialer.end?.(close)
    else close?.()
  }

  /** Sends the question from a socket. Returns its number, or what closes it. */
  #open(): number | (() => void) | undefined {
    const { server, dialer, wire } = this.#ask
    try {
      const number = dialer.ask?.(server, wire, this) ?? -1
      if (number >= 0) return number
    } catch (failure) {
      queueMicrotask(() => this.failed(failure as Error))
      return undefined
    }
    const port = dialer.udp(server)
    port.receive({
      data: bytes => this.datagram(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)),
      end: failure => this.failed(failure ?? new Error('the socket was closed')),
    })
    port.send(wire)
    return () => void port.close()
  }
}
