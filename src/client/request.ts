import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { errorFromJson, isSystemError, version, versionHeader } from '../base/index.ts'
import { ClientError, noCluster } from './errors.ts'

/** Which owner, and how patient. */
export interface Target {
  readonly name: string
  readonly socket: string
  /** Absent: waits as long as the owner lives. */
  readonly timeoutMs?: number
}

export interface Ask {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: unknown
  readonly signal?: AbortSignal
  /** Talks to an owner of another version too. */
  readonly anyVersion?: boolean
}

/** Sends one request; gives its answer once the headers are there and good. */
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

/** The whole answer, as the JSON value that it is. */
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

/** The error that this text carries, if it is one of the API's. */
export function errorOf(text: string): Error | undefined {
  try {
    return errorFromJson((JSON.parse(text) as { error?: unknown }).error)
  } catch {
    return undefined
  }
}

/** Throws when owner and client are not of one version. */
export function checkVersion(target: Target, answer: IncomingMessage, anyVersion = false): void {
  const theirs = String(answer.headers[versionHeader] ?? 'unknown')
  if (anyVersion || theirs === version) return
  const stop = `xc stop --name ${target.name}`
  throw new ClientError({
    code: 'OWNER_VERSION',
    op: 'talk to cluster',
    target: target.name,
    reason: `it was started by xcluster ${theirs}, this is ${version}`,
    remedy: `Start it again with this version (\`${stop}\` works across versions), or use the xc that started it`,
  })
}

/** The body as text, up to its end. */
async function textOf(target: Target, answer: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  try {
    for await (const piece of answer) pieces.push(piece as Buffer)
  } catch (failure) {
    throw explained(target, failure)
  }
  return Buffer.concat(pieces).toString()
}

/** What a failed connection means: no such cluster, an owner that died over the question, or its own reason. */
export function explained(target: Target, failure: unknown): unknown {
  if (isSystemError(failure, 'ENOENT', 'ECONNREFUSED', 'ENOTDIR')) return noCluster(target.name)
  if (isSystemError(failure, 'ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE'))
    return new ClientError({
      code: 'OWNER_GONE',
      op: 'talk to cluster',
      target: target.name,
      reason: 'its owner process ended before it answered',
      remedy: 'Its log tells more, if it was not stopped on purpose',
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
    remedy: 'Give it longer with --timeout; whether it took effect is unknown',
  })
}
