import { z } from 'zod'
import type { StreamKind, Verb } from '../../api/index.ts'
import { version } from '../../base/index.ts'
import type { Route } from './routes.ts'
import * as schemas from './schemas.ts'

/** The API as an OpenAPI 3.1 document, made from the routes that serve it. */
export function openApi(routes: readonly Route[]): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const route of routes) {
    const { path, method } = route.verb
    const at = path.replaceAll(/:(\w+)/g, '{$1}')
    paths[at] = { ...paths[at], [method.toLowerCase()]: operation(route) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'xcluster owner',
      version,
      description: 'Served on the unix socket of each running cluster',
    },
    paths,
    components: { schemas: { ClusterEvent: z.toJSONSchema(schemas.clusterEvent) } },
  }
}

function operation({ verb, question, answer }: Route): object {
  const { summary, help, path, method } = verb
  const [query, body] = method === 'GET' ? [question, undefined] : [undefined, question]
  return {
    summary: `${summary[0]!.toUpperCase()}${summary.slice(1)}`,
    ...(help && { description: help }),
    parameters: [...pathParameters(path), ...queryParameters(query)],
    ...(body && { requestBody: { required: !body.safeParse({}).success, content: jsonContent(body) } }),
    responses: {
      ...(typeof answer === 'string' ? streams[answer] : { 200: done(jsonContent(answer)) }),
      default: { description: notDone(verb, question), content: jsonContent(schemas.failure) },
    },
  }
}

function done(content: object): object {
  return { description: 'Done', content }
}

const streams = {
  text: { 200: done({ 'text/plain': { schema: { type: 'string' } } }) },
  events: {
    200: done({
      'text/event-stream': {
        schema: {
          type: 'string',
          description: 'the data of each is #/components/schemas/ClusterEvent, or {"type": "lost", "count"}',
        },
      },
    }),
  },
  upgrade: { 101: { description: 'Connected' } },
} as const satisfies Record<StreamKind, object>

function notDone({ errors }: Verb, question: z.ZodType | undefined): string {
  const codes = [...(question ? ['BAD_REQUEST'] : []), ...errors]
  return ['Failed, with the reason', codes.length > 0 && `error.code is ${codes.join(', ')} or another`]
    .filter(Boolean)
    .join('; ')
}

function pathParameters(path: string): object[] {
  if (!path.includes(':id')) return []
  return [{ name: 'id', in: 'path', required: true, description: '1 or vm-001', schema: { type: 'string' } }]
}

function queryParameters(query: z.ZodType | undefined): object[] {
  if (!query) return []
  const { properties = {} } = z.toJSONSchema(query, { io: 'input' })
  return Object.entries(properties).map(([name, schema]) => ({ name, in: 'query', required: false, schema }))
}

function jsonContent(schema: z.ZodType): object {
  return { 'application/json': { schema: z.toJSONSchema(schema) } }
}
