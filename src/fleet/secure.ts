import { createHmac } from 'node:crypto'
import { connect, createServer, type Server, type TLSSocket } from 'node:tls'
import { isSystemError, reasonOf } from '../base/index.ts'
import type { EngineValues } from './engine.ts'
import { FleetError } from './errors.ts'

/** Keys from the secret alone, with forward secrecy (RFC 8442, RFC 7905). Node has no such keys in TLS 1.3. */
const ciphers = 'ECDHE-PSK-CHACHA20-POLY1305'
const tls12 = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ciphers } as const

/** What a connection is for: the link of a member with its leader, or requests of the leader. */
export type Purpose = 'link' | 'requests'

type Keys = Pick<EngineValues, 'secret' | 'job'>

/** Each job has keys of its own, also where a secret is used twice. */
function keyOf({ secret, job }: Keys, purpose: string): Buffer {
  return createHmac('sha256', secret).update(`xcluster ${job} ${purpose}`).digest()
}

export interface SecureListener extends Keys {
  readonly address: string
  readonly port: number
  /** How errors name this host. */
  readonly host: string
  /** Called for each connection whose other end has the secret. */
  accepted(socket: TLSSocket, purpose: Purpose): void
}

/** Listens to hosts of the same job: TLS with a key that both ends have (RFC 4279). Throws HOST_PORT. */
export async function listenSecurely(options: SecureListener): Promise<Server> {
  const purposes = new WeakMap<TLSSocket, Purpose>()
  const server = createServer({
    ...tls12,
    allowHalfOpen: true, // a capture has its last counts to send when its reader has ended its direction
    handshakeTimeout: 5000,
    pskIdentityHint: '',
    pskCallback(socket, identity) {
      if (identity !== 'link' && identity !== 'requests') return null
      purposes.set(socket, identity)
      return keyOf(options, identity)
    },
  })
  server.on('secureConnection', socket => {
    socket.setNoDelay(true)
    socket.on('error', () => socket.destroy()) // `close` follows
    options.accepted(socket, purposes.get(socket)!)
  })
  server.on('tlsClientError', (_, socket) => socket.destroy())
  await new Promise<void>((resolve, reject) => {
    server.once('error', failure => reject(portTaken(options, failure)))
    server.listen({ host: options.address, port: options.port }, resolve)
  })
  return server
}

export interface Destination extends Keys {
  readonly address: string
  readonly port: number
  readonly purpose: Purpose
}

/** A connection to another host. Its `secureConnect` follows, or its `error`. */
export function dial({ address, port, purpose, ...keys }: Destination): TLSSocket {
  const psk = keyOf(keys, purpose)
  const options = {
    ...tls12,
    host: address,
    port,
    allowHalfOpen: true,
    pskCallback: () => ({ psk, identity: purpose }),
    checkServerIdentity: () => undefined, // there is no certificate: that it has the key is what counts
  }
  const socket = connect(options)
  socket.setNoDelay(true)
  return socket
}

/** True for a failure that goes away when the other host has started: it does not listen yet, or is not up. */
export function mayStillCome(failure: unknown): boolean {
  return isSystemError(failure, 'ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'ECONNRESET')
}

function portTaken({ host, address, port }: SecureListener, cause: unknown): FleetError {
  return new FleetError({
    code: 'HOST_PORT',
    kind: 'prerequisite',
    op: 'listen',
    target: `${address}, TCP port ${port}`,
    reason: `${host}: ${reasonOf(cause)}`,
    remedy: 'Stop the lab that has this port, or give another; the address must be one of this host',
    cause,
  })
}
