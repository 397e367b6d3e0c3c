import { packetHead, packetSize, sealPacket } from './pcapng.ts'

const slabSize = 8 << 20
/** What a frame is received into: longer than any. */
const roomSize = 128 << 10
/** Slabs that are kept for reuse. Collecting memory takes longer than copying it. */
const mostSpare = 4
/** Blocks beside each other are written as they are from this length on. Others are copied into pieces. */
const leastRun = 16 << 10
const pieceSize = 1 << 20

/** Memory with blocks of a capture file, one after the other. */
class Slab {
  readonly memory = new Uint8Array(Buffer.allocUnsafeSlow(slabSize).buffer)
  readonly view = new DataView(this.memory.buffer)
  used = 0
  /** Frames in it that are still needed. */
  needed = 0
}

/** A frame in the store, with room for the rest of its block around it. */
export interface StoredFrame {
  readonly slab: Slab
  /** Where its block begins. */
  readonly start: number
  readonly length: number
}

/** A frame as it is to be written. */
export interface PlacedFrame {
  readonly stored: StoredFrame
  /** The number of its interface. */
  readonly link: number
  /** Milliseconds since 1970. */
  readonly at: number
}

/** A piece of a capture file. `done` says that its memory can be used again. */
export interface Piece {
  readonly bytes: Uint8Array
  done(): void
}

/**
 * Keeps frames until they are written. They are received into it at the place that they have in their blocks, so that
 * large ones are written without a copy.
 */
export class FrameStore {
  #slab = new Slab()
  readonly #spare: Slab[] = []
  readonly #pieces: Uint8Array[] = []
  /** Bytes of memory with frames that are still needed. */
  held = 0

  /** Where the next frame is received. {@link keep} of what is at its beginning copies nothing. */
  room(): Uint8Array {
    if (this.#slab.used + packetSize(roomSize) > slabSize) this.#change()
    const from = this.#slab.used + packetHead
    return this.#slab.memory.subarray(from, from + roomSize)
  }

  keep(bytes: Uint8Array): StoredFrame {
    const room = this.room()
    const isThere = bytes.buffer === room.buffer && bytes.byteOffset === room.byteOffset
    if (!isThere) room.set(bytes)
    const slab = this.#slab
    const stored = { slab, start: slab.used, length: bytes.length }
    slab.used += packetSize(bytes.length)
    slab.needed++
    return stored
  }

  /** These frames are not needed any more. */
  release(slab: Slab, frames = 1): void {
    slab.needed -= frames
    if (slab.needed > 0) return
    slab.used = 0
    if (slab === this.#slab) return
    this.held -= slabSize
    if (this.#spare.length < mostSpare) this.#spare.push(slab)
  }

  /** Their blocks in this order. A frame is released when its piece is done. */
  *pieces(frames: readonly PlacedFrame[]): Generator<Piece> {
    let piece: Uint8Array | undefined
    let filled = 0
    for (const { slab, from, to, frames: count } of runs(frames)) {
      const isLarge = to - from >= leastRun
      if (piece && (isLarge || filled + to - from > pieceSize)) {
        yield this.#joined(piece, filled)
        piece = undefined
        filled = 0
      }
      const bytes = slab.memory.subarray(from, to)
      if (isLarge) yield { bytes, done: () => this.release(slab, count) }
      else {
        piece ??= this.#pieces.pop() ?? new Uint8Array(Buffer.allocUnsafeSlow(pieceSize).buffer)
        piece.set(bytes, filled)
        filled += bytes.length
        this.release(slab, count)
      }
    }
    if (piece) yield this.#joined(piece, filled)
  }

  #joined(piece: Uint8Array, length: number): Piece {
    const done = () => void (this.#pieces.length < mostSpare && this.#pieces.push(piece))
    return { bytes: piece.subarray(0, length), done }
  }

  #change(): void {
    if (this.#slab.needed > 0) this.held += slabSize
    else this.#spare.push(this.#slab)
    this.#slab = this.#spare.pop() ?? new Slab()
    this.#slab.used = 0
  }
}

interface Run {
  readonly slab: Slab
  readonly from: number
  readonly to: number
  readonly frames: number
}

/** Completes the blocks, and finds those that follow each other in memory. */
function* runs(frames: readonly PlacedFrame[]): Generator<Run> {
  let run: Run | undefined
  for (const { stored, link, at } of frames) {
    const { slab, start, length } = stored
    const to = sealPacket(slab.view, start, { link, at, length })
    if (run && run.slab === slab && run.to === start)
      run = { slab, from: run.from, to, frames: run.frames + 1 }
    else {
      if (run) yield run
      run = { slab, from: start, to, frames: 1 }
    }
  }
  if (run) yield run
}
