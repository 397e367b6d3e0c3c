import { constants } from 'node:os'
import type { Readable, Writable } from 'node:stream'
import { type Clock, defer, errnoName, errnoText } from '../base/index.ts'
import { CommandError } from './errors.ts'
import { errorOutput, input, output, type Which } from './frame.ts'
import { CommandInput } from './input.ts'
import { type CommandSpec, opening, type TerminalSize } from './opening.ts'
import { CommandOutput, outputWindow } from './output.ts'
import { type Opened, unknownStatus } from './payloads.ts'
import {
  type CommandStream,
  type CommandStreams,
  lostCommand,
  type StreamReceiver,
  tooMany,
} from './streams.ts'

/** How a command has ended. */
export interface CommandExit {
  /** Its exit status; 128 + the number of a signal that killed it, as in a shell. */
  readonly status: number
  readonly signal?: number
}

/**
 * A command that runs in a guest. Read its outputs, or destroy them: one that is not read makes the command wait when a
 * pipe and 256 KiB are full. Closing it (`await using`) kills it.
 */
export interface RunningCommand extends AsyncDisposable {
  /** Its process in the guest. */
  readonly pid: number
  /** Destroyed, without an error, when the command takes no more input. */
  readonly stdin: Writable
  /** Destroying it closes the command's pipe, as when `head` ends. */
  readonly stdout: Readable
  /** Empty for a command with a terminal, which has one output. */
  readonly stderr: Readable
  /**
   * Resolves when it has ended, whatever it has left in the background, and all of its outputs have come. Rejects with
   * EXEC_LOST when the guest is gone, and with EXEC_ABORTED when it was closed or detached here.
   */
  readonly exit: Promise<CommandExit>
  /** Sends a signal to it and to the processes of its group. Default: SIGTERM. */
  kill(signal?: NodeJS.Signals | number): void
  /** Tells its terminal a new size. */
  resize(size: TerminalSize): void
  /** Leaves it to itself: it runs on in the guest, and what it writes is dropped there. */
  detach(): void
}

/** What starting a command takes. */
export interface SpawnOptions {
  readonly clock: Clock
  /** Aborts the start, and later detaches the command: EXEC_ABORTED. */
  readonly signal?: AbortSignal
  /** It gets no input: the end of it is sent at once, which spares the guest waking up for it. */
  readonly withoutInput?: boolean
}

/** Milliseconds in which a guest starts a command, or has no program that could. A busy machine takes seconds. */
const startMs = 60_000

/**
 * Runs a command. Resolves when it has started. Throws EXEC_NOT_STARTED and EXEC_NOT_ALLOWED with the reason of the
 * guest's kernel, EXEC_TOO_MANY, EXEC_NOTHING, EXEC_WORD, EXEC_ABORTED, and EXEC_LOST when the guest is gone or does not
 * answer within a minute.
 */
export async function spawnCommand(
  streams: CommandStreams,
  spec: CommandSpec,
  { clock, signal, withoutInput = false }: SpawnOptions,
): Promise<RunningCommand> {
  const word = spec.words[0] ?? 'a command'
  if (signal?.aborted)
    throw aborted(streams.name, word, {
      reason: 'its caller aborted it before it was sent',
      cause: signal.reason,
    })
  const command = new GuestCommand(streams, spec)
  if (withoutInput) command.stdin.end()
  const give = () => command.abort(signal?.reason)
  const cancel = clock.after(startMs, () =>
    command.abandon(lostCommand(streams.name, 'the guest has not answered within a minute')),
  )
  signal?.addEventListener('abort', give, { once: true })
  void command.exit.catch(() => {}).then(() => signal?.removeEventListener('abort', give))
  try {
    await command.started
    return command
  } finally {
    cancel()
  }
}

class GuestCommand implements RunningCommand, StreamReceiver {
  readonly stdin: CommandInput
  readonly stdout: CommandOutput
  readonly stderr: CommandOutput
  readonly #streams: CommandStreams
  readonly #word: string
  readonly #stream: CommandStream
  readonly #started = defer()
  readonly #exit = defer<CommandExit>()
  #isOver = false
  pid = 0

  constructor(streams: CommandStreams, spec: CommandSpec) {
    this.#streams = streams
    this.#word = spec.words[0] ?? 'a command'
    for (const { promise } of [this.#started, this.#exit]) promise.catch(() => {}) // not everyone waits
    const request = opening(spec, { output: outputWindow, errors: outputWindow })
    const stream = streams.open(request, this, [outputWindow, outputWindow])
    this.#stream = stream
    this.stdin = new CommandInput({
      get credit() {
        return stream.credit
      },
      data: bytes => stream.data(bytes),
      end: () => stream.end(input),
    })
    const outputOf = (which: typeof output | typeof errorOutput) =>
      new CommandOutput({ grant: bytes => stream.grant(which, bytes), leave: () => stream.end(which) })
    this.stdout = outputOf(output)
    this.stderr = outputOf(errorOutput)
  }

  get started(): Promise<void> {
    return this.#started.promise
  }

  get exit(): Promise<CommandExit> {
    return this.#exit.promise
  }

  kill(signal: NodeJS.Signals | number = 'SIGTERM'): void {
    this.#stream.signal(typeof signal === 'number' ? signal : constants.signals[signal])
  }

  resize(size: TerminalSize): void {
    this.#stream.resize(size)
  }

  detach(): void {
    this.abort(undefined)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isOver) return
    this.kill('SIGKILL')
    this.#stream.close('closed')
    this.#end(aborted(this.#streams.name, this.#word, { reason: 'its caller closed it, and it was killed' }))
  }

  /** Detaches it, for this reason. */
  abort(cause: unknown): void {
    const reason = 'its caller aborted the wait, and it may continue in the guest'
    this.abandon(aborted(this.#streams.name, this.#word, { reason, cause }))
  }

  abandon(why: Error): void {
    if (this.#isOver) return
    this.#stream.close('detached')
    this.#end(why)
  }

  opened({ error, pid }: Opened): void {
    if (error !== 0) this.#end(notStarted(this.#streams.name, this.#word, error))
    this.pid = pid
    this.#started.resolve()
    this.stdin.flow()
  }

  data(which: Which, bytes: Uint8Array): void {
    ;(which === output ? this.stdout : this.stderr).arrived(bytes)
  }

  ended(which: Which): void {
    if (which === input) this.stdin.destroy()
    else (which === output ? this.stdout : this.stderr).over()
  }

  /** Its writer runs later: reading what a guest sends has a limit of time of its own. */
  credit(): void {
    queueMicrotask(() => this.stdin.flow())
  }

  exited({ status, reason }: { readonly status: number; readonly reason?: string }): void {
    if (status === unknownStatus) this.lost(reason ?? 'the guest has given it up')
    const signal = status & 0x7f // wait(2)
    this.#end(signal === 0 ? { status: (status >> 8) & 0xff } : { status: 128 + signal, signal })
  }

  lost(reason: string): void {
    this.#end(lostCommand(this.#streams.name, reason))
  }

  #end(how: CommandExit | Error): void {
    if (this.#isOver) return
    this.#isOver = true
    this.stdout.over()
    this.stderr.over()
    this.stdin.destroy()
    if (how instanceof Error) {
      this.#started.reject(how)
      this.#exit.reject(how)
    } else this.#exit.resolve(how)
  }
}

function aborted(name: string, word: string, why: { reason: string; cause?: unknown }): CommandError {
  return new CommandError({ code: 'EXEC_ABORTED', op: `run ${word} on`, target: name, ...why })
}

/** execve(2)'s reason. */
function notStarted(name: string, word: string, errno: number): CommandError {
  if (errnoName(errno) === 'EAGAIN') return tooMany(name)
  const isDenied = errnoName(errno) === 'EACCES'
  return new CommandError({
    code: isDenied ? 'EXEC_NOT_ALLOWED' : 'EXEC_NOT_STARTED',
    op: `run ${word} on`,
    target: name,
    reason: errnoText(errno),
  })
}
