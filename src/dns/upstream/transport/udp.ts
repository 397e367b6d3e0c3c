import type { Clock } from '../../../base/index.ts'
import { flag, headerBytes } from '../../wire/constants.ts'
import { type Message, readMessage } from '../../wire/message.ts'
import { compare } from '../../wire/question.ts'
import { type Server, serverText } from '../conf/server.ts'
import { calledOff, garbled, silent, unreachable } from '../failure.ts'
import type { Dialer } from './sockets.ts'

/** One try. */
export interface Try {
  readonly server: Server
  readonly dialer: Dialer
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly ms: number
  /** The question as it is sent, and how long its question section is. */
  readonly wire: Buffer
  readonly questionLength: number
  /** An answer came that is not ours: it is counted and waited past. */
  wrong(): void
}

/** An answer, `tcp` when it has to be asked for over TCP, `plain` when it has to be asked for without EDNS. */
export type UdpResult = Message | 'tcp' | 'plain'

/** An answer without the question: for one who asked without EDNS there is nothing left to try. */
type Judgement = UdpResult | 'bare' | undefined

/** So many datagrams that are not the answer on one socket that it costs more to look at them than it is worth. */
const flood = 10_000

/**
 * Asks over UDP from a socket of its own: its random port and the random id are what a forger has to guess
 * (RFC 5452 §4), and a wrong guess changes nothing, for we go on waiting.
 */
export function askUdp(ask: Try): Promise<UdpResult> {
  const { server, dialer, clock, signal, ms, wire } = ask
  const name = serverText(server)
  if (signal.aborted) return Promise.reject(calledOff(name))
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
    const abort = () => fail(calledOff(name))
    const cancel = clock.after(ms, () => fail(silent(name, ms)))
    signal.addEventListener('abort', abort)
    port.receive({
      data(bytes) {
        const result = judge(ask, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
        if (result === undefined) ask.wrong()
        else if (result !== 'bare') settle(() => resolve(result))
        if (result === 'bare' || (result === undefined && ++wrong >= flood)) fail(garbled(name))
      },
      end: failure => fail(unreachable(name, failure)),
    })
    port.send(wire)
  })
}

function judge({ wire, questionLength }: Try, got: Buffer): Judgement {
  switch (compare(wire, got, questionLength)) {
    case 'match':
      // What is truncated may be cut off anywhere: not even looked at.
      return got[2]! & flag.TC ? 'tcp' : readMessage(got)
    case 'case':
      // Ours in all but the capitals: a server that does not keep them, or a forger. TCP tells which.
      return 'tcp'
    case 'bare':
      return wire.length > headerBytes + questionLength ? 'plain' : 'bare'
    default:
      return undefined
  }
}
