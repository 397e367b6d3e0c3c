import { u16, Writer } from '../base/index.ts'
import { CommandError } from './errors.ts'
import { type errorOutput, type Frame, type FrameKind, input, type output, type Which } from './frame.ts'
import type { TerminalSize } from './opening.ts'
import { numberOf, numberPayload, type Opened, opened, readExit, readWhole } from './payloads.ts'

/** How many commands can run in one guest at the same time, those included that are being given up. */
export const mostCommands = 64
/** Bytes that each direction of a command can have on its way, whatever its peer has asked for. */
const mostCredit = 1 << 20

/** Takes what a command's peer says. Every method returns at once. */
export interface StreamReceiver {
  opened(answer: Opened): void
  data(which: Which, bytes: Uint8Array): void
  /** An output has ended; for the input: the command takes no more. */
  ended(which: Which): void
  /** The command takes so many more bytes of input. */
  credit(bytes: number): void
  /** Nothing follows. `status` is wait(2)'s; -1 without one. */
  exited(end: { readonly status: number; readonly reason?: string }): void
  /** The peer is gone. Nothing follows. */
  lost(reason: string): void
}

interface Entry {
  /** Undefined when this side has closed the stream: what is on its way is dropped. */
  receiver: StreamReceiver | undefined
  isOpen: boolean
  /** What the peer may still send of each output. */
  readonly granted: [number, number, number]
  /** What the peer still takes, and what it took at first. */
  credit: number
  window: number
  /** Which of its files have ended. */
  readonly ends: Set<Which>
}

/** Frames to a peer: xcluster-guest, or an owner. */
export interface StreamsOptions {
  readonly send: (frame: Frame) => void
  /** The guest's name, for errors. */
  readonly name: string
}

/**
 * The streams of the commands that run in one guest. It checks all that the peer says: {@link take} throws when the peer
 * breaks the rules, and what a peer can make this side keep is bounded by the credit that this side gave.
 */
export class CommandStreams {
  readonly #options: StreamsOptions
  readonly #entries = new Map<number, Entry>()
  #last = 0
  #ended: string | undefined

  constructor(options: StreamsOptions) {
    this.#options = options
  }

  /** Commands that run or are being given up. */
  get count(): number {
    return this.#entries.size
  }

  get name(): string {
    return this.#options.name
  }

  /** Asks for a command, with the bytes of `opening`. Throws EXEC_LOST and EXEC_TOO_MANY. */
  open(
    request: Uint8Array,
    receiver: StreamReceiver,
    credit: readonly [output: number, errors: number],
  ): CommandStream {
    if (this.#ended !== undefined) throw lostCommand(this.name, this.#ended)
    if (this.#entries.size >= mostCommands) throw tooMany(this.name)
    this.#last = (this.#last % 0xffffffff) + 1
    const id = this.#last
    const entry: Entry = {
      receiver,
      isOpen: false,
      granted: [0, ...credit],
      credit: 0,
      window: 0,
      ends: new Set(),
    }
    this.#entries.set(id, entry)
    this.#send('open', id, { payload: request })
    return new CommandStream(entry, (kind, more) => {
      if (this.#entries.get(id) === entry) this.#send(kind, id, more)
    })
  }

  #send(kind: FrameKind, stream: number, { which = input, payload = nothing }: More = {}): void {
    this.#options.send({ kind, stream, which, payload })
  }

  /** Takes a frame from the peer. False when nothing has asked for it. Throws when the peer breaks the rules. */
  take({ kind, stream, which, payload }: Frame): boolean {
    const entry = this.#entries.get(stream)
    if (!entry) return false
    if (kind === 'open') return this.#opened(stream, entry, readWhole(opened, payload))
    if (kind === 'exited') return this.#exited(stream, entry, payload)
    if (!entry.isOpen) throw new Error('it sent output of a command that it has not started')
    if (kind === 'data') return this.#data(entry, which, payload)
    if (kind === 'credit') return this.#credit(entry, numberOf(payload))
    return this.#end(entry, which)
  }

  #end(entry: Entry, which: Which): boolean {
    if (entry.ends.has(which)) return false
    entry.ends.add(which)
    entry.receiver?.ended(which)
    return true
  }

  #opened(stream: number, entry: Entry, answer: Opened): boolean {
    if (entry.isOpen) throw new Error('it started a command twice')
    if (answer.window > mostCredit) throw new Error(`it takes ${answer.window} bytes of input at once`)
    entry.isOpen = true
    entry.credit = entry.window = answer.window
    if (answer.error !== 0) this.#entries.delete(stream)
    entry.receiver?.opened(answer)
    return true
  }

  #exited(stream: number, entry: Entry, payload: Uint8Array): boolean {
    this.#entries.delete(stream)
    entry.receiver?.exited(readExit(payload))
    return true
  }

  #data(entry: Entry, which: Which, bytes: Uint8Array): boolean {
    if (which === input || entry.ends.has(which) || bytes.length > entry.granted[which])
      throw new Error('it sent more output than it was asked for')
    entry.granted[which] -= bytes.length
    entry.receiver?.data(which, bytes)
    return bytes.length > 0
  }

  #credit(entry: Entry, bytes: number): boolean {
    entry.credit += bytes
    if (entry.credit > entry.window) throw new Error('it took more input than there was')
    entry.receiver?.credit(bytes)
    return bytes > 0
  }

  /** Ends all commands: their peer has forgotten them. New ones can be opened. */
  reset(reason: string): void {
    const entries = [...this.#entries.values()]
    this.#entries.clear()
    for (const { receiver } of entries) receiver?.lost(reason)
  }

  /** The peer is gone for good. */
  end(reason: string): void {
    this.#ended ??= reason
    this.reset(reason)
  }
}

interface More {
  readonly which?: Which
  readonly payload?: Uint8Array
}

const nothing = new Uint8Array()

type Say = (kind: FrameKind, more?: More) => void

/** This side of one command. After its end, and after `close`, its methods do nothing. */
export class CommandStream {
  readonly #entry: Entry
  readonly #say: Say

  constructor(entry: Entry, say: Say) {
    this.#entry = entry
    this.#say = say
  }

  /** Bytes of input that the peer takes now. */
  get credit(): number {
    return this.#entry.credit
  }

  /** Sends input: no more than there is credit for, and than one frame has room for. */
  data(bytes: Uint8Array): void {
    if (bytes.length > this.#entry.credit) throw new Error('more input than the command takes')
    this.#entry.credit -= bytes.length
    this.#say('data', { payload: bytes })
  }

  /** Ends the input, or takes no more of an output: the command then sees a closed pipe. */
  end(which: Which): void {
    this.#say('end', { which })
  }

  /** Lets the peer send so many more bytes of an output. */
  grant(which: typeof output | typeof errorOutput, bytes: number): void {
    if (this.#entry.granted[which] + bytes > mostCredit)
      throw new Error('more credit than a command can have')
    this.#entry.granted[which] += bytes
    this.#say('credit', { which, payload: numberPayload(bytes) })
  }

  signal(number: number): void {
    this.#say('signal', { payload: numberPayload(number) })
  }

  resize({ rows, columns }: TerminalSize): void {
    const out = new Writer(4)
    u16.write(out, rows)
    u16.write(out, columns)
    this.#say('size', { payload: out.done() })
  }

  /** Gives the command up. `detached`: it runs on, as if its output were read. Otherwise its pipes are closed. */
  close(how: 'closed' | 'detached'): void {
    this.#entry.receiver = undefined
    this.#say('close', { payload: numberPayload(how === 'detached' ? 1 : 0) })
  }
}

export function lostCommand(name: string, reason: string): CommandError {
  const remedy = "The node's console shows what its kernel says, if its memory has run out"
  return new CommandError({ code: 'EXEC_LOST', op: 'run a command on', target: name, reason, remedy })
}

export function tooMany(name: string): CommandError {
  return new CommandError({
    code: 'EXEC_TOO_MANY',
    op: 'run a command on',
    target: name,
    reason: `${mostCommands} commands run on it already, which is the limit`,
    remedy: 'Wait until some have ended, or start them from one shell in the guest',
  })
}
