import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { type AnswerOf, type AskedOf, type ExecAnswer, unseenHeader, type Verb, verbs } from '../api/index.ts'
import { clusterPlaces, LineSplitter, type Places } from '../base/index.ts'
import type { RunningCommand } from '../stream/index.ts'
import { call, callsOf, requestOf } from './calls.ts'
import { type ConsoleConnection, type ConsoleQuestion, openConsole, upgrade } from './console.ts'
import { type Ask, ask, explained } from './request.ts'
import type { SpawnSpec } from './spawn.ts'
import type { Target } from './watched.ts'

export interface ExecQuestion {
  readonly argv: readonly string[]
  /** The command's standard input. */
  readonly input?: Uint8Array
  readonly timeoutMs?: number
}

/** A capture that runs. */
export interface PacketsConnection {
  /** Reading gives a pcapng file as it is captured. */
  readonly socket: Socket
  /** Links that the host cannot see: they are left out. */
  readonly unseen: readonly string[]
}

/** The methods that follow from the table of verbs: `status()`, `pause({ nodes: ['1'] })` … */
const Calls = callsOf(verbs)

/** A client of one cluster's owner, over its unix socket. It keeps no connection between calls. */
export class OwnerClient extends Calls {
  readonly #target: Target

  /**
   * `timeoutMs` limits each exchange, from connecting to the end of the answer. Without it a command in a guest or a
   * stop may take any time, unless the owner's process is stopped: OWNER_STOPPED.
   */
  constructor(places: Places, name: string, options: Pick<Target, 'timeoutMs' | 'debug'> = {}) {
    super()
    const { socket, lock } = clusterPlaces(places, name)
    this.#target = { name, socket, lock, ...options }
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
    }
  }

  /** Runs a command in a guest, with its input and outputs as streams. Resolves when it has started. */
  async spawn(node: string, spec: SpawnSpec): Promise<RunningCommand> {
    const { spawnThere } = await import('./spawn.ts') // few commands need it
    return await spawnThere(this.#target, node, spec)
  }

  /** The output of a node's console; with `follow`, it continues until the node stops or `signal` aborts. */
  async *log(
    node: string,
    { follow, signal }: { follow?: boolean | undefined; signal?: AbortSignal } = {},
  ): AsyncGenerator<Uint8Array> {
    yield* await this.#stream(requestOf(verbs.log, { node, follow }), signal)
  }

  /** The states and counters of the cluster, as Prometheus reads them. */
  async metrics(): Promise<string> {
    const pieces: Uint8Array[] = []
    for await (const piece of await this.#stream(requestOf(verbs.metrics, {}), undefined)) pieces.push(piece)
    return Buffer.concat(pieces).toString()
  }

  /** The events of the cluster, from the moment that this resolves until the cluster has been removed. */
  async events(
    signal?: AbortSignal,
    asked: AskedOf<typeof verbs.events> = {},
  ): Promise<AsyncGenerator<{ readonly type: string }>> {
    return eventsIn(await this.#stream(requestOf(verbs.events, asked), signal))
  }

  /** Connects to the node's console. One terminal at a time may type; with `take` it is this one. */
  console(node: string, how: ConsoleQuestion = {}): Promise<ConsoleConnection> {
    return openConsole(this.#target, { node, ...how })
  }

  /** Starts a capture of any links. Closing the connection, or its sending direction, ends it. */
  async packets(asked: AskedOf<typeof verbs.packets>): Promise<PacketsConnection> {
    const { socket, answer } = await upgrade(this.#target, verbs.packets, asked)
    return {
      socket,
      unseen: String(answer.headers[unseenHeader] ?? '')
        .split(',')
        .filter(Boolean),
    }
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
async function* eventsIn(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<{ readonly type: string }> {
  const lines = new LineSplitter()
  for await (const bytes of pieces) {
    for (const line of lines.push(bytes)) {
      if (line.startsWith('data: ')) yield JSON.parse(line.slice(6)) as { type: string }
    }
  }
}
