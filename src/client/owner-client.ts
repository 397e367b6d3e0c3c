import type { IncomingMessage } from 'node:http'
import { type AnswerOf, type AskedOf, type ExecAnswer, type Verb, verbs } from '../api/index.ts'
import { clusterPlaces, LineSplitter, type Places } from '../base/index.ts'
import { call, callsOf, requestOf } from './calls.ts'
import { openConsole } from './console.ts'
import { type Ask, ask, explained, type Target } from './request.ts'

export interface ExecQuestion {
  readonly argv: readonly string[]
  /** The command's standard input. */
  readonly input?: Uint8Array
  readonly timeoutMs?: number
}

/** The methods that follow from the table of verbs: `status()`, `pause({ nodes: ['1'] })` … */
const Calls = callsOf(verbs)

/** A client of one cluster's owner, over its unix socket. It keeps no connection between calls. */
export class OwnerClient extends Calls {
  readonly #target: Target

  /** `timeoutMs` limits each answer. Without it a command in a guest or a stop may take any time. */
  constructor(places: Places, name: string, options: { readonly timeoutMs?: number } = {}) {
    super()
    this.#target = { name, socket: clusterPlaces(places, name).socket, ...options }
  }

  override call<V extends Verb>(verb: V, asked: AskedOf<V>): Promise<AnswerOf<V>> {
    return call(this.#target, verb, asked)
  }

  /** Runs a command in a guest. `node` is an id or a name, `timeoutMs` limits the command itself. */
  async exec(node: string, { argv, input, timeoutMs }: ExecQuestion): Promise<ExecAnswer> {
    const answer = await this.call(verbs.exec, {
      node,
      argv,
      ...(input && { input: Buffer.from(input).toString('base64') }),
      timeoutMs,
    })
    return {
      status: answer.status,
      ...(answer.signal !== undefined && { signal: answer.signal }),
      stdout: Buffer.from(answer.stdout, 'base64'),
      stderr: Buffer.from(answer.stderr, 'base64'),
      truncated: answer.truncated,
    }
  }

  /** The output of a node's console; with `follow`, it continues until the node stops or `signal` aborts. */
  async *log(
    node: string,
    { follow, signal }: { follow?: boolean | undefined; signal?: AbortSignal } = {},
  ): AsyncGenerator<Uint8Array> {
    yield* await this.#stream(requestOf(verbs.log, { node, follow }), signal)
  }

  /** The events of the cluster, from the moment that this resolves until the cluster has been removed. */
  async events(signal?: AbortSignal): Promise<AsyncGenerator<{ readonly event: string }>> {
    return eventsIn(await this.#stream(requestOf(verbs.events, {}), signal))
  }

  /** Connects to the node's console: raw bytes in both directions. */
  console(node: string): ReturnType<typeof openConsole> {
    return openConsole(this.#target, node)
  }

  async #stream(question: Ask, signal: AbortSignal | undefined): Promise<AsyncGenerator<Uint8Array>> {
    const answer = await ask(this.#target, { ...question, ...(signal && { signal }) })
    return piecesOf(answer, failure => (signal?.aborted ? undefined : explained(this.#target, failure)))
  }
}

/** The body piece by piece. When it breaks, `explain` gives the error to throw, or undefined to end quietly. */
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
