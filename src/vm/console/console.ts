import { Broadcast, defer, type Port, type Queue } from '../../base/index.ts'
import type { Console } from '../types.ts'
import type { ConsoleLog } from './console-log.ts'
import { ConsoleLines, lastLines, type Sight, sightOf } from './console-text.ts'
import { Ring } from './ring.ts'

/** Bytes that wait for a slow reader, with what each piece of them costs besides. */
const readerLimit = 1 << 20
const perPiece = 256

export interface ConsoleListener {
  /** Called for the first byte: the kernel runs. */
  began(): void
  saw(sight: Sight): void
}

/** A guest's serial console. Its output goes to a ring buffer, a log file and attached readers. */
export class GuestConsole implements Console {
  readonly #port: Port
  readonly #log: ConsoleLog
  readonly #ring = new Ring(64 << 10)
  readonly #readers = new Broadcast<Uint8Array>()
  readonly #lines = new ConsoleLines()
  readonly #ended = defer()
  #listener: ConsoleListener | undefined
  #began = false

  constructor(port: Port, log: ConsoleLog) {
    this.#port = port
    this.#log = log
  }

  /** Starts reading. */
  listen(listener: ConsoleListener): void {
    this.#listener = listener
    this.#port.receive({ data: bytes => this.#received(bytes), end: () => this.#ended.resolve() })
  }

  /** Resolves when QEMU has closed its end: no more output follows. */
  get ended(): Promise<void> {
    return this.#ended.promise
  }

  tail(): Uint8Array {
    return this.#ring.contents()
  }

  lastLines(count = 12): string {
    return lastLines(this.tail(), count)
  }

  write(bytes: Uint8Array | string): void {
    this.#port.send(typeof bytes === 'string' ? Buffer.from(bytes) : bytes)
  }

  attach(): Queue<Uint8Array> {
    return this.#readers.listen({ limit: readerLimit, sizeOf: ({ length }) => length + perPiece })
  }

  async close(): Promise<void> {
    this.#readers.end()
    this.#log.close()
    await this.#port.close()
  }

  #received(bytes: Uint8Array): void {
    this.#ring.push(bytes)
    this.#log.write(bytes)
    this.#readers.send(bytes)
    if (!this.#began) this.#listener?.began()
    this.#began = true
    for (const line of this.#lines.push(bytes)) {
      const sight = sightOf(line)
      if (sight) this.#listener?.saw(sight)
    }
  }
}
