import { constants } from 'node:os'
import { getSystemErrorMap } from 'node:util'
import { type Deferred, defer, type Port, reasonOf } from '../../base/index.ts'
import type { Greeting } from '../../qmp/index.ts'
import type { Exit } from '../../sys/index.ts'
import { VmError } from '../errors.ts'

/** A process that a zygote has forked. */
export interface Forked {
  readonly pid: number
  /** Resolves when it has ended. */
  readonly exited: Promise<Exit>
  kill(signal: NodeJS.Signals): void
}

/** The messages of native/qemu/zygote.h, in 32-bit integers of this machine. */
const kinds = { fork: 0, signal: 1, ended: 2, ready: 3 } as const
const requestIntegers = 64
const replyBytes = 16
const mostFds = 60

/**
 * A QEMU that stands still, and from which others are forked at the point where it stands: they share its memory until one
 * of them writes, and go on with the code that it has translated. They die with it. Made by a start with `forkable`.
 */
export class Zygote {
  readonly #port: Port
  readonly #name: string
  readonly #greeting: () => Greeting | undefined
  readonly #children = new Map<number, Deferred<Exit>>()
  readonly #asked: Deferred<Forked>[] = []
  #received = Buffer.alloc(0)
  #lost: string | undefined
  #isSpoilt = false
  #isReady = false

  /** Takes over the port of its control socket. `greeting` is what its monitor has said. */
  constructor(port: Port, { name, greeting }: { name: string; greeting: () => Greeting | undefined }) {
    this.#port = port
    this.#name = name
    this.#greeting = greeting
    port.receive({
      data: bytes => this.#receive(bytes),
      end: failure => this.#end(failure ? reasonOf(failure) : 'it has ended'),
    })
  }

  /** False when nothing can be forked from it: no longer, or never, as from a QEMU that is linked statically. */
  get isUsable(): boolean {
    return this.#isReady && this.#lost === undefined && !this.#isSpoilt
  }

  /** What was forked from it came to nothing: it is not used again. */
  spoil(): void {
    this.#isSpoilt = true
  }

  /** Why it has ended, and with it what was forked from it. */
  get lost(): string | undefined {
    return this.#lost
  }

  get greeting(): Greeting | undefined {
    return this.#greeting()
  }

  /**
   * Forks it. `fds` gives by numbers of its descriptors what the new process has in their places; the caller closes its own.
   * Throws FORK_FAILED.
   */
  async fork(fds: ReadonlyMap<number, number>): Promise<Forked> {
    if (this.#lost !== undefined) throw this.#failed(this.#lost)
    if (fds.size > mostFds) throw this.#failed(`it has more than ${mostFds} descriptors to give`)
    const asked = defer<Forked>()
    this.#asked.push(asked)
    this.#port.send(request(kinds.fork, [...fds.keys()]), [...fds.values()])
    return await asked.promise
  }

  /** Ends what it is to this process, and with that the processes that were forked from it. */
  async close(): Promise<void> {
    await this.#port.close()
    this.#end('it has been closed')
  }

  #signal(pid: number, signal: NodeJS.Signals): void {
    if (this.#lost !== undefined || !this.#children.has(pid)) return
    this.#port.send(request(kinds.signal, [pid, constants.signals[signal]]))
  }

  #receive(bytes: Uint8Array): void {
    this.#received = Buffer.concat([this.#received, bytes])
    for (; this.#received.length >= replyBytes; this.#received = this.#received.subarray(replyBytes)) {
      const [kind, pid, error, status] = [0, 4, 8, 12].map(at => this.#received.readInt32LE(at)) as [
        number,
        number,
        number,
        number,
      ]
      if (kind === kinds.ready) this.#isReady = true
      else if (kind === kinds.fork) this.#answered(pid, error)
      else this.#ended(pid, status)
    }
  }

  #answered(pid: number, error: number): void {
    const asked = this.#asked.shift()
    if (pid > 0) {
      const ended = defer<Exit>()
      this.#children.set(pid, ended)
      asked?.resolve({ pid, exited: ended.promise, kill: signal => this.#signal(pid, signal) })
    } else asked?.reject(this.#failed(wordsOf(error)))
  }

  #ended(pid: number, status: number): void {
    this.#children.get(pid)?.resolve(exitOf(status))
    this.#children.delete(pid)
  }

  /** Its processes have its death signal. */
  #end(reason: string): void {
    this.#lost ??= reason
    for (const asked of this.#asked.splice(0)) asked.reject(this.#failed(reason))
    for (const child of this.#children.values()) child.resolve({ signal: 'SIGKILL' })
    this.#children.clear()
  }

  #failed(reason: string): VmError {
    return new VmError({ code: 'FORK_FAILED', op: 'fork', target: this.#name, reason })
  }
}

function request(kind: number, numbers: readonly number[]): Uint8Array {
  const message = new Int32Array(requestIntegers)
  message.set([kind, numbers.length, ...numbers])
  return new Uint8Array(message.buffer)
}

function wordsOf(error: number): string {
  if (error === constants.errno.EBUSY) return 'its threads did not stand still within 0.5 s'
  return getSystemErrorMap().get(-error)?.[1] ?? `error ${error}`
}

/** What wait(2) gives. */
function exitOf(status: number): Exit {
  const signal = status & 0x7f
  if (signal === 0) return { code: (status >> 8) & 0xff }
  const [name] = Object.entries(constants.signals).find(([, number]) => number === signal) ?? ['SIGKILL']
  return { signal: name as NodeJS.Signals }
}
