import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { errorFromJson, isSystemError, version, versionHeader } from '../base/index.ts'
import { ClientError, noCluster } from './errors.ts'

/** An owner, and how long to wait for it. */
export interface Target {
  readonly name: string
  readonly socket: string
  /** Absent: waits until the owner ends. */
  readonly timeoutMs?: number
}

export interface Ask {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: unknown
  readonly signal?: AbortSignal
  /** Accepts an owner of another version. */
  readonly anyVersion?: boolean
}

/** Sends one request. Resolves with the answer when its headers have arrived and are good. */
export function ask(target: Target, { method, path, body, ...rest }: Ask): Promise<IncomingMessage> {
  const bytes = body === undefined ? undefined : JSON.stringify(body)
  const options: RequestOptions = {
    socketPath: target.socket,
    method,
    path,
    headers: bytes === undefined ? {} : { 'content-type': 'application/json' },
    ...(target.timeoutMs !== undefined && { timeout: target.timeoutMs }),
    ...(rest.signal && { signal: rest.signal }),
    agent: false,
  }
  return new Promise((resolve, reject) => {
    const request = httpRequest(options, answer => {
      checked(target, answer, rest.anyVersion ?? false).then(resolve, reject)
    })
    request.on('timeout', () => request.destroy(tooSlow(target)))
    request.on('error', failure => reject(explained(target, failure)))
    request.end(bytes)
  })
}

/** Sends one request and parses the whole answer as JSON. */
export async function askJson<T>(target: Target, question: Ask): Promise<T> {
  const answer = await ask(target, question)
  return JSON.parse(await textOf(target, answer)) as T
}

async function checked(
  target: Target,
  answer: IncomingMessage,
  anyVersion: boolean,
): Promise<IncomingMessage> {
  checkVersion(target, answer, anyVersion)
  if (answer.statusCode === 200) return answer
  const text = await textOf(target, answer)
  throw (
    errorOf(text) ??
    new ClientError({ code: 'OWNER_ANSWER', op: 'ask owner of', target: target.name, reason: text })
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
async function textOf(target: Target, answer: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  try {
    for await (const piece of answer) pieces.push(piece as Buffer)
  } catch (failure) {
    throw explained(target, failure)
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

function tooSlow(target: Target): ClientError {
  return new ClientError({
    code: 'OWNER_TIMEOUT',
    op: 'talk to cluster',
    target: target.name,
    reason: `no answer within ${(target.timeoutMs ?? 0) / 1000} s`,
    remedy: 'Allow more time with --timeout. The request may have taken effect',
  })
}
