import type { IncomingMessage } from 'node:http'
import type { ExecAnswer, ReachReport, Status } from '../api/index.ts'
import { clusterPlaces, LineSplitter, type Places } from '../base/index.ts'
import { openConsole } from './console.ts'
import { gone } from './process.ts'
import { ask, askJson, explained, type Target } from './request.ts'

export interface ExecQuestion {
  readonly argv: readonly string[]
  /** Given to the command's standard input. */
  readonly input?: Uint8Array
  readonly timeoutMs?: number
}

export interface ChangeOptions {
  /** False: resolves when it has begun. */
  readonly wait?: boolean | undefined
}

/** Talks to the owner of one cluster over its unix socket; holds nothing open between calls. */
export class OwnerClient {
  readonly #target: Target

  /** `timeoutMs` holds for each answer; a command in a guest or a stop takes as long as it takes without it. */
  constructor(places: Places, name: string, options: { readonly timeoutMs?: number } = {}) {
    this.#target = { name, socket: clusterPlaces(places, name).socket, ...options }
  }

  status(): Promise<Status> {
    return askJson(this.#target, { method: 'GET', path: '/v1/status' })
  }

  /** Resolves when nothing of the cluster is left, its owner process included. Works across versions. */
  async stop(): Promise<void> {
    const question = { method: 'POST', path: '/v1/stop', anyVersion: true } as const
    const { owner } = await askJson<{ owner: { pid: number } }>(this.#target, question)
    await gone(owner.pid)
  }

  /** Stops nodes in the middle of what they do; all without `nodes`. */
  pause(nodes?: readonly string[]): Promise<Status> {
    return this.#change('pause', { nodes })
  }

  /** Lets paused nodes go on; all without `nodes`. */
  resume(nodes?: readonly string[]): Promise<Status> {
    return this.#change('resume', { nodes })
  }

  /** Replaces nodes by fresh ones; resolves when they are ready, or have begun with `wait: false`. */
  reset(nodes?: readonly string[], { wait }: ChangeOptions = {}): Promise<Status> {
    return this.#change('reset', { nodes, wait })
  }

  /** Adds nodes, by their numbers; resolves when they are ready, or have begun with `wait: false`. */
  scaleOut(nodes: readonly string[], { wait }: ChangeOptions = {}): Promise<Status> {
    return this.#change('scaleout', { nodes, wait })
  }

  /** Ends nodes; what only they needed goes with them. */
  scaleIn(nodes: readonly string[]): Promise<Status> {
    return this.#change('scalein', { nodes })
  }

  /** Lets every node try to reach all that it should reach. */
  check(): Promise<ReachReport> {
    return askJson(this.#target, { method: 'POST', path: '/v1/check' })
  }

  /** Runs a command in a guest. `node` is an id or a name. */
  async exec(node: string, { argv, input, timeoutMs }: ExecQuestion): Promise<ExecAnswer> {
    const body = {
      argv,
      ...(input && { input: Buffer.from(input).toString('base64') }),
      ...(timeoutMs !== undefined && { timeoutMs }),
    }
    const path = `/v1/nodes/${encodeURIComponent(node)}/exec`
    const answer = await askJson<ExecJson>(this.#target, { method: 'POST', path, body })
    return {
      status: answer.status,
      ...(answer.signal !== undefined && { signal: answer.signal }),
      stdout: Buffer.from(answer.stdout, 'base64'),
      stderr: Buffer.from(answer.stderr, 'base64'),
      truncated: answer.truncated,
    }
  }

  /** What a node's console has printed; with `follow`, on until the node stops or `signal` aborts. */
  async *log(
    node: string,
    options: { follow?: boolean; signal?: AbortSignal } = {},
  ): AsyncGenerator<Uint8Array> {
    const path = `/v1/nodes/${encodeURIComponent(node)}/log${options.follow ? '?follow=1' : ''}`
    yield* await this.#stream(path, options.signal)
  }

  /** What happens in the cluster, from the moment that this resolves until the cluster is gone. */
  async events(signal?: AbortSignal): Promise<AsyncGenerator<{ readonly event: string }>> {
    return eventsIn(await this.#stream('/v1/events', signal))
  }

  /** The node's console, raw bytes both ways. */
  console(node: string): ReturnType<typeof openConsole> {
    return openConsole(this.#target, node)
  }

  #change(what: string, body: object): Promise<Status> {
    return askJson(this.#target, { method: 'POST', path: `/v1/${what}`, body })
  }

  async #stream(path: string, signal: AbortSignal | undefined): Promise<AsyncGenerator<Uint8Array>> {
    const answer = await ask(this.#target, { method: 'GET', path, ...(signal && { signal }) })
    return piecesOf(answer, failure => (signal?.aborted ? undefined : explained(this.#target, failure)))
  }
}

/** The body piece by piece. `explain` makes a broken one's reason into what is thrown, or into a plain end. */
async function* piecesOf(
  answer: IncomingMessage,
  explain: (failure: unknown) => unknown,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of answer) yield piece as Uint8Array
  } catch (failure) {
    const reason = explain(failure)
    if (reason !== undefined) throw reason
  }
}

/** The values in a text/event-stream. */
async function* eventsIn(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<{ readonly event: string }> {
  const lines = new LineSplitter()
  for await (const bytes of pieces) {
    for (const line of lines.push(bytes)) {
      if (line.startsWith('data: ')) yield JSON.parse(line.slice(6)) as { event: string }
    }
  }
}

interface ExecJson {
  readonly status: number
  readonly signal?: number
  readonly stdout: string
  readonly stderr: string
  readonly truncated: ExecAnswer['truncated']
}
