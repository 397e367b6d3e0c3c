import type { ProgressEvent, Status } from '../api/index.ts'
import { type ErrorJson, LineSplitter, type Places, type Port, Queue, type TraceArea } from '../base/index.ts'
import type { SharedSnapshot } from '../cluster/index.ts'
import type { Settings } from '../plan/index.ts'
import { OwnerError } from './errors.ts'

/** A message from `xc start` to the owner that it has just started. */
export type StarterMessage =
  | { readonly type: 'start'; readonly request: StartRequest }
  /** The answer to `ready`: from now on the cluster does not depend on the starter. */
  | { readonly type: 'keep' }
  /** Cancels the start. The owner removes what it has started, then sends `failed`. */
  | { readonly type: 'cancel' }

/** A message from the owner during the start. */
export type OwnerMessage =
  | ProgressEvent
  | { readonly type: 'ready'; readonly status: Status }
  | { readonly type: 'failed'; readonly error: ErrorJson }

/** Everything that an owner needs to know: it does not read settings from its environment. */
export interface StartRequest {
  readonly settings: Settings
  readonly places: Places
  /** The time limit, in milliseconds, for all nodes to be ready. */
  readonly timeoutMs?: number
  /** Its nodes can be frozen. */
  readonly freezable?: boolean
  /** It is a fork of this snapshot, which the starter holds open. */
  readonly from?: SharedSnapshot
  /** What it prints the messages of, in its log. */
  readonly trace?: readonly TraceArea[]
}

const starterEvents: readonly string[] = ['start', 'keep', 'cancel'] satisfies StarterMessage['type'][]
const ownerEvents: readonly string[] = [
  'notice',
  'step',
  'node',
  'milestone',
  'ready',
  'failed',
] satisfies OwnerMessage['type'][]

/** One end of the start pipe: one JSON value a line, in both directions. Its end means that the peer has gone. */
export class StartPipe<In, Out> implements AsyncDisposable {
  readonly incoming: Queue<In>
  readonly #port: Port
  #open = true

  /** The owner's end. */
  static owner(port: Port): StartPipe<StarterMessage, OwnerMessage> {
    return new StartPipe(port, starterEvents)
  }

  /** The starter's end. */
  static starter(port: Port): StartPipe<OwnerMessage, StarterMessage> {
    return new StartPipe(port, ownerEvents)
  }

  private constructor(port: Port, events: readonly string[]) {
    this.#port = port
    const incoming = new Queue<In>()
    this.incoming = incoming
    const lines = new LineSplitter()
    port.receive({
      data: bytes => {
        try {
          for (const line of lines.push(bytes)) incoming.push(parse(line, events) as In)
        } catch (failure) {
          incoming.end(failure)
        }
      },
      end: () => {
        void this.close()
        incoming.end()
      },
    })
  }

  /** Sends one value. Does nothing when the peer has gone: `incoming` ends then. */
  send(message: Out): void {
    if (this.#open) this.#port.send(encoder.encode(`${JSON.stringify(message)}\n`))
  }

  close(): Promise<void> {
    this.#open = false
    return this.#port.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

const encoder = new TextEncoder()

function parse(line: string, events: readonly string[]): object {
  const value = readJson(line)
  if (typeof value === 'object' && value !== null && 'type' in value && events.includes(value.type as string))
    return value
  throw new OwnerError({
    code: 'START_PIPE_GARBAGE',
    op: 'read start pipe',
    reason: `this version of xcluster does not know the message: ${line.slice(0, 80)}`,
    remedy: 'Run: npx xc setup',
  })
}

function readJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
