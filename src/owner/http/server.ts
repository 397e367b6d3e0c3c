import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { finished } from 'node:stream/promises'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { z } from 'zod'
import {
  debugHeader,
  type ErrorJson,
  type ErrorKind,
  errorToJson,
  version,
  versionHeader,
  XclusterError,
} from '../../base/index.ts'
import { OwnerError } from '../errors.ts'
import type { Owner } from '../owner.ts'
import type { Answering } from './listener.ts'
import { openApi } from './openapi.ts'
import { type Asked, routes as ours, type Route } from './routes.ts'
import { upgradeAsked } from './upgrade.ts'

export interface ServeOptions {
  readonly owner: Owner
  /** The server that receives the requests. It listens already. */
  readonly server: Server
  readonly log: (text: string) => void
  /** Default: those of the API. */
  readonly routes?: readonly Route[]
}

/** Bytes. The largest body is the input of an `exec`, in base64. */
const bodyLimit = 64 * 1024 * 1024

/** Makes what answers requests to an owner's API. */
export async function serve({ owner, server, log, routes = ours }: ServeOptions): Promise<Answering> {
  let request!: Answering['request']
  const app = fastify({
    bodyLimit,
    serverFactory: handler => {
      request = handler
      return server
    },
  })
  app.addHook('onRequest', async (_, reply) => void reply.header(versionHeader, version))
  app.setValidatorCompiler(({ schema }) => validator(schema as unknown as z.ZodType))
  app.setSerializerCompiler(() => JSON.stringify)
  app.setErrorHandler(async (failure, request, reply) => {
    await rest(request.raw)
    return answerError(request, reply, { failure, log })
  })
  app.setNotFoundHandler((request, reply) =>
    answerError(request, reply, { failure: noRoute(`${request.method} ${request.url}`), log }),
  )
  for (const route of routes) register(app, owner, route)
  app.get('/v1/openapi.json', () => openApi(routes))
  await app.ready()
  return {
    request,
    upgrade: (request, peer) => void upgrade(request, peer, { owner, routes }),
    close: () => app.close(),
  }
}

function register(app: FastifyInstance, owner: Owner, route: Route): void {
  const { verb, question, answer } = route
  if (answer === 'upgrade') return
  const part = verb.method === 'GET' ? 'query' : 'body'
  const schema = question && { [part === 'query' ? 'querystring' : 'body']: question }
  const handler = async (
    request: { params: unknown; query: unknown; body: unknown },
    reply: FastifyReply,
  ) => {
    const { id = '' } = request.params as { id?: string }
    const asked: Asked = { id, question: question ? ((request[part] ?? {}) as object) : {} }
    if (typeof answer !== 'string') return route.handle(owner, asked, reply.raw)
    await stream(route, { owner, asked, reply })
    return reply
  }
  app.route({ method: verb.method, url: verb.path, ...(schema && { schema }), handler })
}

/** The handler of a stream writes its own head. Before that, an error is answered like any other. */
async function stream(
  route: Route,
  { owner, asked, reply }: { owner: Owner; asked: Asked; reply: FastifyReply },
): Promise<void> {
  const raw: ServerResponse = reply.raw
  raw.on('pipe', () => reply.hijack())
  try {
    await route.handle(owner, asked, raw)
  } catch (failure) {
    if (!raw.headersSent) throw failure
    raw.destroy()
  }
}

function validator(schema: z.ZodType) {
  return (value: unknown) => {
    const result = schema.safeParse(value ?? {})
    return result.success ? { value: result.data } : { error: refusal(result.error) }
  }
}

/** Never rejects: an error is sent as the answer. */
async function upgrade(
  request: IncomingMessage,
  peer: Duplex,
  { owner, routes }: Required<Pick<ServeOptions, 'owner' | 'routes'>>,
): Promise<void> {
  try {
    const asked = upgradeAsked(routes, request)
    if (!asked) throw noRoute(`upgrade of ${request.url}`)
    await asked.route.handle(owner, { id: asked.id, question: asked.question }, peer)
  } catch (failure) {
    const error = shownError(errorToJson(failure), request.headers)
    const body = JSON.stringify({ v: 1, error })
    const head = `HTTP/1.1 ${statusOf[error.kind]} ${error.code}\r\ncontent-type: application/json\r\n`
    const rest = `connection: close\r\n${versionHeader}: ${version}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`
    peer.end(`${head}${rest}\r\n${body}`)
  }
}

const statusOf: Readonly<Record<ErrorKind, number>> = {
  usage: 400,
  missing: 404,
  failed: 500,
  prerequisite: 503,
}

/** Reads the rest of a body that is refused, or its sender would see a broken pipe in place of the reason. */
async function rest(body: IncomingMessage): Promise<void> {
  if (body.complete || body.destroyed) return
  body.resume()
  await finished(body).catch(() => {})
}

interface Failed {
  readonly failure: unknown
  readonly log: (text: string) => void
}

function answerError(
  { headers }: Pick<FastifyRequest, 'headers'>,
  reply: FastifyReply,
  { failure, log }: Failed,
): FastifyReply {
  const error = errorToJson(asOurs(failure))
  if (error.code === 'INTERNAL') log(error.stack ?? error.message)
  return reply.code(statusOf[error.kind]).send({ v: 1, error: shownError(error, headers) })
}

/** The stack is for `--debug` alone. */
function shownError({ stack, ...error }: ErrorJson, headers: IncomingHttpHeaders): ErrorJson {
  return { ...error, ...(headers[debugHeader] !== undefined && stack !== undefined && { stack }) }
}

/** What fastify itself refuses (malformed JSON, a body that is too large) is a bad request. */
function asOurs(failure: unknown): unknown {
  const { statusCode, message } = failure as { statusCode?: number; message?: string }
  if (failure instanceof XclusterError || !statusCode || statusCode >= 500) return failure
  if (statusCode === 413) return badRequest(tooLarge)
  return badRequest({ reason: message ?? '' })
}

const tooLarge = {
  reason: `its body is larger than ${bodyLimit >> 20} MiB, which is more than 32 MiB of input for a command in base64`,
  remedy: 'Send the input in parts',
}

function badRequest(why: { readonly reason: string; readonly remedy?: string }): OwnerError {
  return new OwnerError({ code: 'BAD_REQUEST', kind: 'usage', op: 'read request', ...why })
}

/** `nodes must be a list of nodes …`: the words are those of the parameters' kinds (questions.ts). */
function refusal({ issues }: z.ZodError): OwnerError {
  const words = issues.map(issue => {
    if (issue.code === 'unrecognized_keys') return `it has no parameter ${issue.keys.join(', ')}`
    return issue.path.length === 0 ? issue.message : `${String(issue.path[0])} must be ${issue.message}`
  })
  const remedy = 'GET /v1/openapi.json has the parameters of each route'
  return badRequest({ reason: [...new Set(words)].join('; '), remedy })
}

function noRoute(what: string): OwnerError {
  return new OwnerError({
    code: 'ROUTE_MISSING',
    kind: 'missing',
    reason: `there is no ${what}`,
    remedy: 'GET /v1/openapi.json lists all routes',
  })
}
