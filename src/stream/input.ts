import { Writable } from 'node:stream'
import { longestData } from './frame.ts'

/** Where a command's input goes. */
interface Sink {
  /** Bytes that it takes now. */
  readonly credit: number
  data(bytes: Uint8Array): void
  end(): void
}

/**
 * The standard input of a command in a guest. A write is done when the guest has room for it. When the command takes no
 * more, it is destroyed without an error, as for a command that has ended.
 */
export class CommandInput extends Writable {
  readonly #sink: Sink
  #waiting: { bytes: Buffer; readonly done: (failure?: Error | null) => void } | undefined

  constructor(sink: Sink) {
    super({ highWaterMark: 64 << 10 })
    this.#sink = sink
  }

  /** The command takes more. */
  flow(): void {
    while (this.#waiting && this.#sink.credit > 0) {
      const { bytes, done } = this.#waiting
      const piece = bytes.subarray(0, Math.min(this.#sink.credit, longestData))
      this.#sink.data(piece)
      this.#waiting = { bytes: bytes.subarray(piece.length), done }
      if (piece.length < bytes.length) continue
      this.#waiting = undefined
      done()
    }
  }

  override _write(bytes: Buffer, _: string, done: (failure?: Error | null) => void): void {
    if (bytes.length === 0) done()
    else {
      this.#waiting = { bytes, done }
      this.flow()
    }
  }

  override _final(done: (failure?: Error | null) => void): void {
    this.#sink.end()
    done()
  }

  override _destroy(failure: Error | null, done: (failure?: Error | null) => void): void {
    this.#waiting = undefined
    if (!this.writableEnded) this.#sink.end() // the command sees the end of its input
    done(failure)
  }
}
