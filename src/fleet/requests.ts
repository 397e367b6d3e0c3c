import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { AskedOf, Verb } from '../api/index.ts'
import {
  errorFromJson,
  errorToJson,
  onAbort,
  version,
  versionHeader,
  type XclusterError,
} from '../base/index.ts'
import { FleetError } from './errors.ts'
import { dial } from './secure.ts'

/** How the leader reaches another host. */
export interface Remote {
  /** `host 2 (10.0.0.3)` */
  readonly name: string
  readonly address: string
  readonly port: number
  readonly secret: Buffer
  readonly job: string
  /** Aborts when the host has gone: what it is asked then ends. */
  readonly leaving: AbortSignal
}

/** A connection for one request. It ends when the host has gone. */
export function connectionTo(remote: Remote): TLSSocket {
  const socket = dial({ ...remote, purpose: 'requests' })
  const stay = onAbort(remote.leaving, () => socket.destroy(remote.leaving.reason as Error))
  socket.on('close', stay)
  return socket
}

/** Asks a host for a verb with a JSON answer. Throws its error. */
export async function askHost<V extends Verb>(
  remote: Remote,
  verb: V,
  asked: Partial<AskedOf<V>> = {},
): Promise<unknown> {
  const { status, body } = await textOf(remote, verb, asked)
  const value = JSON.parse(body) as { readonly error?: unknown }
  if (status === 200) return value
  throw errorFromJson(value.error) ?? unclear(remote, body)
}

/** The same for an answer that is text. */
export async function askText(remote: Remote, verb: Verb): Promise<string> {
  return (await textOf(remote, verb, {})).body
}

function textOf(remote: Remote, verb: Verb, asked: object): Promise<{ status: number; body: string }> {
  const body = verb.method === 'POST' ? JSON.stringify(asked) : undefined
  return new Promise((resolve, reject) => {
    const asking = httpRequest({
      method: verb.method,
      path: verb.path,
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
      createConnection: () => connectionTo(remote),
    })
    asking.on('error', failure => reject(unreachable(remote, failure)))
    asking.on('response', answer => {
      const pieces: Buffer[] = []
      answer.on('data', piece => pieces.push(piece))
      answer.on('error', failure => reject(unreachable(remote, failure)))
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(pieces).toString() }),
      )
    })
    asking.end(body)
  })
}

/** Passes a request on as it is, and its answer back. */
export function passOn(remote: Remote, asked: IncomingMessage, answer: ServerResponse): void {
  const { method, url, headers } = asked
  const passing = httpRequest({
    ...(method && { method }),
    ...(url && { path: url }),
    headers,
    createConnection: () => connectionTo(remote),
  })
  passing.on('error', failure => {
    if (answer.headersSent) answer.destroy()
    else refuse(answer, unreachable(remote, failure))
  })
  passing.on('response', from => {
    answer.writeHead(from.statusCode ?? 502, from.headers)
    from.on('error', () => answer.destroy())
    from.pipe(answer)
  })
  answer.on('close', () => passing.destroy())
  asked.pipe(passing)
}

/** Passes an upgrade on: after its head, bytes in both directions. */
export function passUpgrade(remote: Remote, { method, url, headers }: IncomingMessage, peer: Duplex): void {
  const socket = connectionTo(remote)
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(`${method} ${url} HTTP/1.1\r\n${lines.join('')}\r\n`)
  let answered = false
  socket.once('data', () => {
    answered = true
  })
  socket.on('error', failure => {
    if (answered) peer.destroy()
    else refuseUpgrade(peer, unreachable(remote, failure))
  })
  socket.on('close', () => peer.end())
  peer.on('error', () => socket.destroy())
  peer.on('close', () => socket.destroy())
  socket.pipe(peer)
  peer.pipe(socket)
}

const statusOf = { usage: 400, missing: 404, failed: 500, prerequisite: 503 } as const

/** Answers with an error, in the form of the API. */
export function refuse(answer: ServerResponse, failure: unknown): void {
  const { stack: _, ...error } = errorToJson(failure)
  answer.writeHead(statusOf[error.kind], { 'content-type': 'application/json', [versionHeader]: version })
  answer.end(JSON.stringify({ v: 1, error }))
}

export function refuseUpgrade(peer: Duplex, failure: XclusterError): void {
  const { stack: _, ...error } = errorToJson(failure)
  const body = JSON.stringify({ v: 1, error })
  const head = `HTTP/1.1 ${statusOf[error.kind]} ${error.code}\r\ncontent-type: application/json\r\n`
  const rest = `connection: close\r\n${versionHeader}: ${version}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`
  peer.end(`${head}${rest}\r\n${body}`)
}

export function unreachable({ name }: Remote, cause: unknown): FleetError {
  if (cause instanceof FleetError) return cause
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new FleetError({ code: 'HOST_LOST', op: 'ask', target: name, reason, cause })
}

export function unclear({ name }: Remote, reason: string): FleetError {
  return new FleetError({ code: 'HOST_LOST', op: 'ask', target: name, reason: reason.slice(0, 200) })
}
