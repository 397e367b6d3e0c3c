import { z } from 'zod'
import { version } from '../../base/index.ts'
import type { Route } from './routes.ts'
import * as schemas from './schemas.ts'

/** The API as an OpenAPI 3.1 document, made of the same lines that serve it. */
export function openApi(routes: readonly Route[]): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) }
  }
  paths['/v1/nodes/{id}/console'] = { get: consoleOperation }
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

function operation(route: Route): object {
  const { body, answer, summary } = route
  const content = typeof answer === 'string' ? { [answer]: { schema: textOf[answer] } } : jsonContent(answer)
  return {
    summary,
    parameters: [...pathParameters(route.path), ...queryParameters(route.query)],
    ...(body && { requestBody: { required: !body.safeParse({}).success, content: jsonContent(body) } }),
    responses: {
      200: { description: 'Done', content },
      default: { description: 'Not done, and why', content: jsonContent(schemas.failure) },
    },
  }
}

const textOf = {
  'text/plain': { type: 'string' },
  'text/event-stream': {
    type: 'string',
    description: 'data of each: #/components/schemas/ClusterEvent, or {"event": "lost", "count"}',
  },
} as const

const consoleOperation = {
  summary: 'A console, raw bytes both ways, after `Upgrade: xcluster-console`',
  parameters: pathParameters('/v1/nodes/:id/console'),
  responses: { 101: { description: 'Joined' } },
}

function pathParameters(path: string): object[] {
  if (!path.includes(':id')) return []
  return [{ name: 'id', in: 'path', required: true, description: '1 or vm-001', schema: { type: 'string' } }]
}

function queryParameters(query: z.ZodType | undefined): object[] {
  if (!query) return []
  const { properties = {} } = z.toJSONSchema(query)
  return Object.entries(properties).map(([name, schema]) => ({ name, in: 'query', required: false, schema }))
}

function jsonContent(schema: z.ZodType): object {
  return { 'application/json': { schema: z.toJSONSchema(schema) } }
}
