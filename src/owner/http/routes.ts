import type { ServerResponse } from 'node:http'
import type { z } from 'zod'
import type { Owner } from '../owner.ts'
import * as changes from './changes.ts'
import * as schemas from './schemas.ts'
import { followLog, sendEvents } from './streams.ts'

interface Asked {
  readonly id: string
  readonly query: z.infer<typeof schemas.logQuery>
  readonly body: unknown
}

/** One route of the API: what `serve` registers and what `openapi.json` says are these same lines. */
export interface Route {
  readonly method: 'GET' | 'POST'
  /** In fastify's spelling: `:id`. */
  readonly path: string
  readonly summary: string
  readonly query?: z.ZodType
  readonly body?: z.ZodType
  /** The answer's JSON value, or the type of its stream. */
  readonly answer: z.ZodType | 'text/plain' | 'text/event-stream'
  /** Gives the answer; a stream is written to `raw` instead. */
  handle(owner: Owner, asked: Asked, raw: ServerResponse): Promise<unknown> | unknown
}

export const routes: readonly Route[] = [
  {
    method: 'GET',
    path: '/v1/status',
    summary: 'The cluster and its nodes, also while it starts',
    answer: schemas.status,
    handle: owner => owner.status(),
  },
  {
    method: 'POST',
    path: '/v1/stop',
    summary: 'Ends the cluster; answers when all of it is gone, just before the owner itself ends',
    answer: schemas.stopped,
    async handle(owner) {
      await owner.stop()
      return { v: 1, owner: { pid: process.pid } }
    },
  },
  {
    method: 'POST',
    path: '/v1/check',
    summary: 'Lets every node try to reach all that it should reach, IPv4 and IPv6',
    answer: schemas.reachReport,
    async handle(owner) {
      const pairs = await owner.cluster().checkReach()
      return { v: 1, ok: pairs.every(pair => pair.ok), pairs }
    },
  },
  changing('/v1/pause', {
    summary: 'Stops nodes in the middle of what they do; all without a list',
    body: schemas.nodesQuestion,
    change: changes.pause,
  }),
  changing('/v1/resume', {
    summary: 'Lets paused nodes go on, their clocks set right; all without a list',
    body: schemas.nodesQuestion,
    change: changes.resume,
  }),
  changing('/v1/reset', {
    summary: 'Replaces nodes by fresh ones in the same place, those that failed too; all without a list',
    body: schemas.resetQuestion,
    change: changes.reset,
  }),
  changing('/v1/scaleout', {
    summary: 'Adds nodes, by their numbers; the others follow',
    body: schemas.scaleOutQuestion,
    change: changes.scaleOut,
  }),
  changing('/v1/scalein', {
    summary: 'Ends nodes, and takes away what only they needed of the network; the others follow',
    body: schemas.scaleInQuestion,
    change: changes.scaleIn,
  }),
  {
    method: 'POST',
    path: '/v1/nodes/:id/exec',
    summary: 'Runs a command in a guest and waits for its end',
    body: schemas.execQuestion,
    answer: schemas.execAnswer,
    handle: exec,
  },
  {
    method: 'GET',
    path: '/v1/nodes/:id/log',
    summary: 'What the console has printed; with follow=1 it goes on until the cluster ends',
    query: schemas.logQuery,
    answer: 'text/plain',
    handle: (owner, { id, query }, raw) => followLog(owner, { id, follow: query.follow === '1' }, raw),
  },
  {
    method: 'GET',
    path: '/v1/events',
    summary: 'Server-sent events: what happens from now on, each the JSON value of a cluster event',
    answer: 'text/event-stream',
    handle: (owner, _, raw) => sendEvents(owner, raw),
  },
]

interface Changing {
  readonly summary: string
  readonly body: z.ZodType<changes.ChangeAsked>
  readonly change: changes.Change
}

/** Answers with the cluster as it is after the change. */
function changing(path: string, { summary, body, change }: Changing): Route {
  const handle: Route['handle'] = (owner, asked) => change(owner, asked.body as changes.ChangeAsked)
  return { method: 'POST', path, summary, body, answer: schemas.status, handle }
}

async function exec(owner: Owner, { id, body }: Asked): Promise<object> {
  const node = owner.nodeId(id)
  const { argv, input, timeoutMs } = body as z.infer<typeof schemas.execQuestion>
  const result = await owner.cluster().exec(node, argv, {
    ...(input !== undefined && { input: Buffer.from(input, 'base64') }),
    ...(timeoutMs !== undefined && { timeoutMs }),
  })
  return {
    v: 1,
    status: result.status,
    ...(result.signal !== undefined && { signal: result.signal }),
    stdout: Buffer.from(result.stdout).toString('base64'),
    stderr: Buffer.from(result.stderr).toString('base64'),
    truncated: result.truncated,
  }
}
