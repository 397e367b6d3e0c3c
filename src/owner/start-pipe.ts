import type { ClusterEvent, Status } from '../api/index.ts'
import { type ErrorJson, LineSplitter, type Places, type Port, Queue, type TraceArea } from '../base/index.ts'
import type { Settings } from '../plan/index.ts'
import { OwnerError } from './errors.ts'

/** What `xc start` says to the owner it has just made. */
export type StarterMessage =
  | { readonly event: 'start'; readonly request: StartRequest }
  /** The answer to `ready`: from now on the cluster lives on its own. */
  | { readonly event: 'keep' }
  /** Take back what was started so far, then say `failed`. */
  | { readonly event: 'cancel' }

/** What the owner says while it starts. */
export type OwnerMessage =
  | Exclude<ClusterEvent, { event: 'cluster' }>
  | { readonly event: 'ready'; readonly status: Status }
  | { readonly event: 'failed'; readonly error: ErrorJson }

/** All that an owner is told: it looks at no environment of its own. */
export interface StartRequest {
  readonly settings: Settings
  readonly places: Places
  /** For all nodes to be ready. */
  readonly timeoutMs?: number
  /** What it prints the messages of, in its log. */
  readonly trace?: readonly TraceArea[]
}

const starterEvents: readonly string[] = ['start', 'keep', 'cancel'] satisfies StarterMessage['event'][]
const ownerEvents: readonly string[] = [
  'notice',
  'step',
  'node',
  'milestone',
  'ready',
  'failed',
] satisfies OwnerMessage['event'][]

/** One end of the start pipe: a JSON value a line, either way. Its end means that the other side is gone. */
export class StartPipe<In, Out> implements AsyncDisposable {
  readonly incoming: Queue<In>
  readonly #port: Port
  #open = true

  /** The end that the owner holds. */
  static owner(port: Port): StartPipe<StarterMessage, OwnerMessage> {
    return new StartPipe(port, starterEvents)
  }

  /** The end of the one who started it. */
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

  /** Sends one value. To a side that is gone it is not sent: its end is told by `incoming`. */
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
  if (
    typeof value === 'object' &&
    value !== null &&
    'event' in value &&
    events.includes(value.event as string)
  )
    return value
  throw new OwnerError({
    code: 'START_PIPE_GARBAGE',
    op: 'read start pipe',
    reason: `not a message of this version: ${line.slice(0, 80)}`,
    remedy: 'Run: npm run build',
  })
}

function readJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
