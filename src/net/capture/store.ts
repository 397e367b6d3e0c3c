import { packetHead, packetSize, sealPacket } from './pcapng.ts'

const slabSize = 8 << 20
/** What a frame is received into: longer than any. */
const roomSize = 128 << 10
/** Slabs that are kept for reuse. Collecting memory takes longer than copying it. */
const mostSpare = 4
/** Blocks beside each other are written as they are from this length on. Others are copied together. */
const leastRun = 16 << 10
const jointSize = 1 << 20

/** Memory with blocks of a capture file, one after the other. */
class Slab {
  readonly memory: Uint8Array
  readonly view: DataView
  used = 0
  /** Frames or pieces in it that are still needed. */
  needed = 0

  constructor(size: number) {
    this.memory = new Uint8Array(Buffer.allocUnsafeSlow(size).buffer)
    this.view = new DataView(this.memory.buffer)
  }
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
  /** The length of the frame, of which the store may have the beginning. */
  readonly original: number
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
  #slab = new Slab(slabSize)
  readonly #spare: Slab[] = []
  /** Where small blocks are copied together. */
  #joint = new Slab(jointSize)
  readonly #joints = [this.#joint]
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
    let from = this.#joint.used
    for (const { slab, from: start, to, frames: count } of runs(frames)) {
      const bytes = slab.memory.subarray(start, to)
      const isLarge = bytes.length >= leastRun
      const isFull = this.#joint.used + bytes.length > jointSize
      if ((isLarge || isFull) && this.#joint.used > from) {
        yield this.#joined(from)
        from = this.#joint.used
      }
      if (isLarge) yield { bytes, done: () => this.release(slab, count) }
      else {
        if (isFull) from = this.#changeJoint()
        this.#joint.memory.set(bytes, this.#joint.used)
        this.#joint.used += bytes.length
        this.release(slab, count)
      }
    }
    if (this.#joint.used > from) yield this.#joined(from)
  }

  #joined(from: number): Piece {
    const joint = this.#joint
    joint.needed++
    return { bytes: joint.memory.subarray(from, joint.used), done: () => void joint.needed-- }
  }

  /** Takes memory that no piece needs. Returns where it is filled from. */
  #changeJoint(): number {
    const free = this.#joints.find(({ needed }) => needed === 0) ?? new Slab(jointSize)
    if (!this.#joints.includes(free)) this.#joints.push(free)
    this.#joint = free
    free.used = 0
    return 0
  }

  #change(): void {
    if (this.#slab.needed > 0) this.held += slabSize
    else this.#spare.push(this.#slab)
    this.#slab = this.#spare.pop() ?? new Slab(slabSize)
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
  for (const { stored, link, at, original } of frames) {
    const { slab, start, length } = stored
    const to = sealPacket(slab.view, start, { link, at, length, original })
    if (run && run.slab === slab && run.to === start)
      run = { slab, from: run.from, to, frames: run.frames + 1 }
    else {
      if (run) yield run
      run = { slab, from: start, to, frames: 1 }
    }
  }
  if (run) yield run
}
