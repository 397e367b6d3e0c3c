import { isIPv6 } from 'node:net'
import { connect, createSecureContext, type TLSSocket } from 'node:tls'
import type { Port } from '../../../base/index.ts'
import type { Server } from '../conf/server.ts'
import type { Trust } from '../trust.ts'

/** Opens TLS connections to a server, and resumes earlier sessions (RFC 7858 §3.4). */
export class TlsDialer {
  readonly #trust: Trust
  #session: Buffer | undefined

  constructor(trust: Trust) {
    this.#trust = trust
  }

  /** A connection that is being made. Its certificate must have the server's name, or its address. */
  connect({ address, scope, port, secure }: Server, protocol: 'dot' | 'h2'): TLSSocket {
    const trust = this.#trust
    trust.context ??= createSecureContext({ ...(trust.ca && { ca: trust.ca }), minVersion: 'TLSv1.2' })
    const socket = connect({
      ...{ host: scope === undefined ? address : `${address}%${scope}`, port },
      ...(secure?.name !== undefined && { servername: secure.name }),
      ...{ ALPNProtocols: [protocol], secureContext: trust.context },
      ...(this.#session && { session: this.#session }),
      // An address needs no lookup, which would cost a turn of the thread pool.
      lookup: (host, _, done) => done(null, host, isIPv6(host) ? 6 : 4),
    })
    socket.setNoDelay(true)
    socket.on('session', session => {
      this.#session = session
    })
    return socket
  }

  /** The same as a port, for DNS over TLS. */
  tcp(server: Server): Port {
    const socket = this.connect(server, 'dot')
    const closed = new Promise<void>(resolve => socket.on('close', () => resolve()))
    socket.on('error', () => {})
    const close = () => {
      socket.destroy()
      return closed
    }
    return {
      receive({ data, end }) {
        socket.on('data', data)
        socket.on('error', failure => end(failure))
        socket.on('end', () => end())
        socket.on('close', () => end())
      },
      send: bytes => void socket.write(bytes),
      close,
      [Symbol.asyncDispose]: close,
    }
  }
}

/** Codes of OpenSSL's and Node's refusals of a certificate (node:tls, "X509 certificate error codes"). */
const refusals =
  /^(ERR_TLS_CERT_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_(CA|PURPOSE)|HOSTNAME_MISMATCH|PATH_LENGTH_|CRL_|ERROR_IN_)/

/** True when a connection failed because of the server's certificate. */
export function isUntrusted(failure: unknown): boolean {
  const { code } = (failure ?? {}) as { code?: unknown }
  return typeof code === 'string' && refusals.test(code)
}
