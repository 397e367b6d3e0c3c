import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import {
  debugHeader,
  errorFromJson,
  isSystemError,
  printable,
  version,
  versionHeader,
} from '../base/index.ts'
import { ClientError, noCluster } from './errors.ts'
import { type Target, WatchedExchange } from './watched.ts'

export interface Ask {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: unknown
  readonly signal?: AbortSignal
  /** Accepts an owner of another version. */
  readonly anyVersion?: boolean
}

/** Sends one request. Resolves with the answer when its headers have arrived and are good. */
export async function ask(target: Target, question: Ask): Promise<IncomingMessage> {
  const request = requestFor(target, question)
  using watched = new WatchedExchange(target, request)
  return await headOf(request, { target, watched, anyVersion: question.anyVersion ?? false })
}

/** Sends one request and parses the whole answer as JSON. */
export async function askJson<T>(target: Target, question: Ask): Promise<T> {
  const request = requestFor(target, question)
  using watched = new WatchedExchange(target, request)
  const asking = { target, watched, anyVersion: question.anyVersion ?? false }
  return JSON.parse(await textOf(asking, await headOf(request, asking))) as T
}

interface Asking {
  readonly target: Target
  readonly watched: WatchedExchange
  readonly anyVersion: boolean
}

function requestFor(target: Target, { method, path, body, signal }: Ask): ClientRequest {
  const bytes = body === undefined ? undefined : JSON.stringify(body)
  const request = httpRequest({
    socketPath: target.socket,
    method,
    path,
    headers: {
      ...(bytes !== undefined && { 'content-type': 'application/json' }),
      ...(target.debug && { [debugHeader]: '1' }),
    },
    ...(signal && { signal }),
    agent: false,
  })
  request.end(bytes)
  return request
}

function headOf(request: ClientRequest, asking: Asking): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on('response', answer => checked(asking, answer).then(resolve, reject))
    request.on('error', failure => reject(asking.watched.reason ?? explained(asking.target, failure)))
  })
}

async function checked(asking: Asking, answer: IncomingMessage): Promise<IncomingMessage> {
  const { target, anyVersion } = asking
  checkVersion(target, answer, anyVersion)
  if (answer.statusCode === 200) return answer
  const text = await textOf(asking, answer)
  throw (
    errorOf(text) ??
    new ClientError({
      code: 'OWNER_ANSWER',
      op: 'ask owner of',
      target: target.name,
      reason: printable(text, 500),
    })
  )
}

/** The error in this text, if it is an error of the API. */
export function errorOf(text: string): Error | undefined {
  try {
    return errorFromJson((JSON.parse(text) as { error?: unknown }).error)
  } catch {
    return undefined
  }
}

/** Throws when owner and client have different versions. */
export function checkVersion(target: Target, answer: IncomingMessage, anyVersion = false): void {
  const theirs = String(answer.headers[versionHeader] ?? 'unknown')
  if (anyVersion || theirs === version) return
  const stop = `xc stop --name ${target.name}`
  throw new ClientError({
    code: 'OWNER_VERSION',
    op: 'talk to cluster',
    target: target.name,
    reason: `it was started by xcluster ${theirs}, this is ${version}`,
    remedy: `Stop it (\`${stop}\` works across versions) and start it with this version, or use the xc that started it`,
  })
}

/** The whole body as text. */
async function textOf({ target, watched }: Asking, answer: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  try {
    for await (const piece of answer) pieces.push(piece as Buffer)
  } catch (failure) {
    throw watched.reason ?? explained(target, failure)
  }
  return Buffer.concat(pieces).toString()
}

/** The meaning of a failed connection: no such cluster, an owner that died before it answered, or another failure. */
export function explained(target: Target, failure: unknown): unknown {
  if (isSystemError(failure, 'ENOENT', 'ECONNREFUSED', 'ENOTDIR')) return noCluster(target.name)
  if (isSystemError(failure, 'ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE'))
    return new ClientError({
      code: 'OWNER_GONE',
      op: 'talk to cluster',
      target: target.name,
      reason: 'its owner process ended before it answered',
      remedy: 'If you did not stop it, read its log',
      cause: failure,
    })
  if (isSystemError(failure, 'EACCES', 'EPERM'))
    return new ClientError({
      code: 'OWNER_FOREIGN',
      kind: 'prerequisite',
      op: 'talk to cluster',
      target: target.name,
      reason: 'it belongs to another user',
      cause: failure,
    })
  return failure
}
