import { createSecureServer, type Http2SecureServer, type ServerHttp2Session } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import { decode } from 'dns-packet'
import { Frames, framed } from '../../src/dns/wire/frames.ts'
import type { Certificate } from './dns-certificates.ts'
import { type Asked, answerTo, type Content } from './dns-upstream.ts'

/** What a {@link SecureUpstream} received. */
export interface SecureQuery {
  readonly bytes: Buffer
  readonly name: string
  readonly type: string
  /** The HTTP headers, over HTTPS. */
  readonly headers: Readonly<Record<string, unknown>>
}

/** How it answers: with a message, with an HTTP status, or by ending the connection. */
export type SecureReply =
  | { readonly content?: Content; readonly headers?: Record<string, string>; readonly closing?: true }
  | { readonly status: number }
  | { readonly body: Buffer; readonly type?: string }
  | 'hang up'
  | 'silence'

/** A real server over TLS or HTTPS on 127.0.0.1. The test decides how it responds. */
export class SecureUpstream implements AsyncDisposable {
  readonly queries: SecureQuery[] = []
  /** TLS connections so far, and those of them that resumed a session. */
  connections = 0
  resumed = 0
  behave: (query: SecureQuery) => SecureReply = () => ({})
  readonly #server: Server | Http2SecureServer
  readonly #open = new Set<TLSSocket | ServerHttp2Session>()

  private constructor(server: Server | Http2SecureServer) {
    this.#server = server
    server.on('secureConnection', (socket: TLSSocket) => {
      this.connections++
      if (socket.isSessionReused()) this.resumed++
      this.#open.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => this.#open.delete(socket))
    })
    server.on('tlsClientError', () => {})
  }

  static async overTls(certificate: Certificate): Promise<SecureUpstream> {
    const server = createServer({ ...certificate, ALPNProtocols: ['dot'] })
    const upstream = new SecureUpstream(server)
    server.on('secureConnection', socket => upstream.#serveTls(socket))
    return await upstream.#listening()
  }

  static async overHttps(certificate: Certificate): Promise<SecureUpstream> {
    const server = createSecureServer({ ...certificate, allowHTTP1: false })
    const upstream = new SecureUpstream(server)
    server.on('session', session => {
      upstream.#open.add(session)
      session.on('error', () => {})
      session.on('close', () => upstream.#open.delete(session))
    })
    upstream.#serveHttps(server)
    return await upstream.#listening()
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Ends the open connections, as a server does at any time. */
  hangUp(): void {
    for (const each of this.#open) each.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.hangUp()
    await new Promise(resolve => this.#server.close(resolve))
  }

  async #listening(): Promise<this> {
    await new Promise<void>(resolve => this.#server.listen(0, '127.0.0.1', resolve))
    return this
  }

  #serveTls(socket: TLSSocket): void {
    const frames = new Frames()
    socket.on('data', data => {
      for (const bytes of frames.messages(data)) {
        const { query, reply } = this.#take(bytes, {})
        if (reply === 'hang up') socket.destroy()
        else if (typeof reply === 'object' && !('status' in reply))
          socket.write(framed(messageOf(query, reply)))
        if (typeof reply === 'object' && 'closing' in reply) socket.end()
      }
    })
  }

  #serveHttps(server: Http2SecureServer): void {
    server.on('stream', (stream, headers) => {
      const pieces: Buffer[] = []
      stream.on('error', () => {})
      stream.on('data', (piece: Buffer) => pieces.push(piece))
      stream.on('end', () => {
        const { query, reply } = this.#take(Buffer.concat(pieces), headers)
        if (reply === 'silence') return
        if (reply === 'hang up') return stream.session?.destroy()
        const status = 'status' in reply ? reply.status : 200
        const type = ('type' in reply && reply.type) || 'application/dns-message'
        const more = 'headers' in reply ? reply.headers : {}
        stream.respond({ ':status': status, 'content-type': type, ...more })
        stream.end('status' in reply ? undefined : messageOf(query, reply))
        if ('closing' in reply) stream.session?.goaway()
      })
    })
  }

  #take(bytes: Buffer, headers: Readonly<Record<string, unknown>>) {
    const [question] = decode(bytes).questions!
    const query = { bytes, name: question!.name, type: question!.type, headers }
    this.queries.push(query)
    return { query, reply: this.behave(query) }
  }
}

function messageOf(
  { bytes, name }: SecureQuery,
  reply: Exclude<SecureReply, string | { status: number }>,
): Buffer {
  if ('body' in reply) return reply.body
  const packet = { ...decode(bytes), id: bytes.readUInt16BE(0) }
  return answerTo({ packet, name } as Asked, reply.content)
}
