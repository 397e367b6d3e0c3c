import { type PcapngPacket, pcapngLength, pcapngPackets } from './pcapng.ts'

const pieceSize = 1 << 20
const mostSpare = 16

/** A piece of a capture file. `done` says that its memory can be used again. */
export interface Piece {
  readonly bytes: Uint8Array
  done(): void
}

/** Makes pieces of a capture file, in memory that is used again and again: collecting it takes longer than copying. */
export class PieceMaker {
  readonly #spare: Uint8Array[] = []

  #piece(packets: readonly PcapngPacket[]): Piece {
    const memory = this.#spare.pop() ?? Buffer.allocUnsafeSlow(pieceSize)
    const done = () => {
      if (this.#spare.length < mostSpare) this.#spare.push(memory)
    }
    return { bytes: pcapngPackets(packets, memory), done }
  }

  *pieces(packets: readonly PcapngPacket[]): Generator<Piece> {
    let from = 0
    for (let size = 0, to = 0; to <= packets.length; to++) {
      const next = to < packets.length ? pcapngLength(packets[to]!.bytes.length) : pieceSize
      if (size + next > pieceSize && to > from) {
        yield this.#piece(packets.slice(from, to))
        from = to
        size = 0
      }
      size += next
    }
  }
}

/** Keeps copies of frames for a moment. */
export class FrameStore {
  readonly #memory = Buffer.allocUnsafeSlow(8 << 20)
  #used = 0

  keep(bytes: Uint8Array): Uint8Array {
    if (this.#used + bytes.length > this.#memory.length) return bytes.slice()
    const kept = this.#memory.subarray(this.#used, this.#used + bytes.length)
    kept.set(bytes)
    this.#used += bytes.length
    return kept
  }

  /** Nothing that was kept is needed any more. */
  empty(): void {
    this.#used = 0
  }
}
