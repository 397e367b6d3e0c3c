import { DnsError } from '../../errors.ts'
import type { Message } from '../../wire/message.ts'
import { padded } from '../../wire/padding.ts'
import { serverText } from '../conf/server.ts'
import { untrusted } from '../failure.ts'
import type { Trust } from '../trust.ts'
import { HttpsConnection } from './https.ts'
import type { Dialer } from './sockets.ts'
import { TcpConnections } from './tcp.ts'
import { isUntrusted, TlsDialer } from './tls.ts'
import type { Try } from './udp.ts'

/** Asks a server over TLS or HTTPS, on connections that are used again. Queries are padded (RFC 8467). */
export class SecureTransport {
  readonly #dialer: TlsDialer
  readonly #streams = new TcpConnections()
  readonly #https: HttpsConnection

  constructor(trust: Trust) {
    this.#dialer = new TlsDialer(trust)
    this.#https = new HttpsConnection(this.#dialer)
  }

  async ask(ask: Try): Promise<Message | 'plain'> {
    const wire = padded(ask.wire, ask.questionLength)
    try {
      if (ask.server.secure?.protocol === 'https') {
        wire.writeUInt16BE(0, 0)
        return await this.#https.ask(changed(ask, wire, ask.dialer))
      }
      const dialer = { ...ask.dialer, tcp: this.#dialer.tcp.bind(this.#dialer) }
      return await this.#streams.ask(changed(ask, wire, dialer))
    } catch (failure) {
      if (failure instanceof DnsError && isUntrusted(failure.cause))
        throw untrusted(serverText(ask.server), failure.cause)
      throw failure
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#streams.close(), this.#https.close()])
  }
}

/** The same attempt with other bytes and sockets. */
function changed(ask: Try, wire: Buffer, dialer: Dialer): Try {
  const { server, name, clock, cancellation, ms, questionLength } = ask
  return { server, name, clock, cancellation, ms, questionLength, wire, dialer, wrong: () => ask.wrong() }
}
