import type { Clock } from '../../../base/index.ts'
import { flag, headerBytes } from '../../wire/constants.ts'
import { type Message, readMessage } from '../../wire/message.ts'
import { compare } from '../../wire/question.ts'
import { type Server, serverText } from '../conf/server.ts'
import { cancelled, malformed, silent, unreachable } from '../failure.ts'
import type { Dialer } from './sockets.ts'

/** One attempt at a query. */
export interface Try {
  readonly server: Server
  readonly dialer: Dialer
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly ms: number
  /** The query's bytes, and the length of its question section. */
  readonly wire: Buffer
  readonly questionLength: number
  /** Called for an answer that does not match. The attempt continues to wait. */
  wrong(): void
}

/**
 * An answer, `tcp` when the query must be repeated over TCP, or `plain` when it must be repeated without
 * EDNS.
 */
export type UdpResult = Message | 'tcp' | 'plain'

/** `bare`: an answer without the question. After a query without EDNS there is nothing left to try. */
type Judgement = UdpResult | 'bare' | undefined

/** After so many datagrams that do not match, further ones on the same socket are not worth reading. */
const flood = 10_000

/**
 * Queries over UDP from a socket of its own: a forger must guess its random port and the random id (RFC 5452
 * §4). A wrong guess changes nothing, because the attempt continues to wait.
 */
export function askUdp(ask: Try): Promise<UdpResult> {
  const { server, dialer, clock, signal, ms, wire } = ask
  const name = serverText(server)
  if (signal.aborted) return Promise.reject(cancelled(name))
  return new Promise((resolve, reject) => {
    const port = dialer.udp(server)
    let wrong = 0
    const settle = (done: () => void) => {
      cancel()
      signal.removeEventListener('abort', abort)
      void port.close()
      done()
    }
    const fail = (failure: Error) => settle(() => reject(failure))
    const abort = () => fail(cancelled(name))
    const cancel = clock.after(ms, () => fail(silent(name, ms)))
    signal.addEventListener('abort', abort)
    port.receive({
      data(bytes) {
        const result = judge(ask, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
        if (result === undefined) ask.wrong()
        else if (result !== 'bare') settle(() => resolve(result))
        if (result === 'bare' || (result === undefined && ++wrong >= flood)) fail(malformed(name))
      },
      end: failure => fail(unreachable(name, failure)),
    })
    port.send(wire)
  })
}

function judge({ wire, questionLength }: Try, got: Buffer): Judgement {
  switch (compare(wire, got, questionLength)) {
    case 'match':
      // A truncated answer may be cut anywhere, so it is not parsed.
      return got[2]! & flag.TC ? 'tcp' : readMessage(got)
    case 'case':
      // It matches except for letter case: from a server that does not keep it, or from a forger. TCP shows
      // which.
      return 'tcp'
    case 'bare':
      return wire.length > headerBytes + questionLength ? 'plain' : 'bare'
    default:
      return undefined
  }
}
