import { Readable } from 'node:stream'

/** Bytes of an output that can be on their way. */
export const outputWindow = 256 << 10

/** Where a command's output comes from. */
interface Source {
  /** Lets it send so many more bytes. */
  grant(bytes: number): void
  /** Takes no more of it. */
  leave(): void
}

/**
 * An output of a command in a guest. What it has not been read keeps the command waiting: at most {@link outputWindow}
 * bytes are kept here. Destroying it closes the command's pipe.
 */
export class CommandOutput extends Readable {
  readonly #source: Source
  readonly #kept: Uint8Array[] = []
  #owed = 0
  #isWanted = false
  #isOver = false
  #isAwake = false

  constructor(source: Source) {
    super({ highWaterMark: 64 << 10 })
    this.#source = source
  }

  /** Takes what has come. Its reader runs later: reading what a guest sends has a limit of time of its own. */
  arrived(bytes: Uint8Array): void {
    if (this.destroyed) return
    this.#kept.push(bytes)
    this.#wake()
  }

  /** Nothing follows. */
  over(): void {
    this.#isOver = true
    this.#wake()
  }

  override _read(): void {
    this.#isWanted = true
    this.#flow()
  }

  override _destroy(failure: Error | null, done: (failure?: Error | null) => void): void {
    this.#kept.length = 0
    if (!this.#isOver) this.#source.leave()
    done(failure)
  }

  #wake(): void {
    if (this.#isAwake) return
    this.#isAwake = true
    queueMicrotask(() => {
      this.#isAwake = false
      this.#flow()
    })
  }

  #flow(): void {
    while (this.#isWanted && this.#kept.length > 0) {
      const bytes = this.#kept.shift()!
      this.#isWanted = this.push(bytes)
      this.#owe(bytes.length)
    }
    if (this.#isOver && this.#kept.length === 0 && !this.readableEnded && !this.destroyed) this.push(null)
  }

  /** Credit goes back in large pieces: each costs a frame. */
  #owe(bytes: number): void {
    this.#owed += bytes
    if (this.#owed < outputWindow / 4) return
    const owed = this.#owed
    this.#owed = 0
    if (!this.#isOver) this.#source.grant(owed)
  }
}
