import { DecodeError } from '../base/index.ts'

/** The numbers of the kinds of frames (native/guest/guest.h, docs/guest-channel.md). */
const numbers = {
  configure: 1,
  open: 2,
  data: 3,
  end: 4,
  credit: 5,
  signal: 6,
  size: 7,
  close: 8,
  exited: 9,
  restarted: 10,
  ask: 11,
  asked: 12,
} as const

export type FrameKind = keyof typeof numbers

const kinds: ReadonlyMap<number, FrameKind> = new Map(
  Object.entries(numbers).map(([kind, number]) => [number, kind as FrameKind]),
)

/** Which of a command's files a frame is about. */
export const [input, output, errorOutput] = [0, 1, 2] as const
export type Which = typeof input | typeof output | typeof errorOutput

/** One message of the protocol between a host and xcluster-guest, or a client and an owner. */
export interface Frame {
  readonly kind: FrameKind
  /** The number of the command, or of the configuration. */
  readonly stream: number
  readonly which: Which
  readonly payload: Uint8Array
}

const headLength = 12
/** Bytes of input or output in one frame. With its head, a frame has at most 32 KiB: what a guest writes at once. */
export const longestData = (32 << 10) - headLength

/** Encodes a frame: length (u32), kind and which (u16), stream (u32), payload; all little-endian. */
export function frame(
  kind: FrameKind,
  stream: number,
  { which = input, payload = nothing }: { readonly which?: Which; readonly payload?: Uint8Array } = {},
): Uint8Array {
  const bytes = Buffer.allocUnsafe(headLength + payload.length)
  bytes.writeUInt32LE(payload.length, 0)
  bytes.writeUInt16LE(numbers[kind], 4)
  bytes.writeUInt16LE(which, 6)
  bytes.writeUInt32LE(stream, 8)
  bytes.set(payload, headLength)
  return bytes
}

const nothing = new Uint8Array()

export function frameBytes({ kind, stream, ...more }: Frame): Uint8Array {
  return frame(kind, stream, more)
}

/** The kinds that a peer may send, with the most bytes of payload of each. */
export type FrameLimits = Readonly<Partial<Record<FrameKind, number>>>

/** What xcluster-guest may send. The text of a failed configuration has 159 bytes, or is not from that program. */
export const guestLimits: FrameLimits = {
  configure: 16 + 256,
  open: 12,
  data: longestData,
  end: 0,
  credit: 4,
  exited: 4,
  restarted: 16,
  ask: longestData,
  asked: 4,
}

/** What a host may send. xcluster-guest has room for a frame of 256 KiB. */
export const hostLimits: FrameLimits = {
  configure: 256 << 10,
  open: 192 << 10,
  data: longestData,
  end: 0,
  credit: 4,
  signal: 4,
  size: 4,
  close: 4,
  ask: 64 << 10,
}

/** What an owner may send to its client: a command that is lost has the reason after its status. */
export const ownerLimits: FrameLimits = { ...guestLimits, exited: 4 + 2000 }

/**
 * Cuts a stream of bytes into frames. Throws MALFORMED_BYTES for a head that the peer may not send, before it waits for
 * what the head announces; so it never holds more than one frame of the largest kind.
 */
export class FrameSplitter {
  readonly #limits: FrameLimits
  readonly #head = Buffer.alloc(headLength)
  #held = 0
  #payload: Buffer | undefined
  #filled = 0

  constructor(limits: FrameLimits) {
    this.#limits = limits
  }

  *push(bytes: Uint8Array): Generator<Frame> {
    for (let at = 0; at < bytes.length; ) {
      at += this.#takeHead(bytes.subarray(at))
      if (this.#held < headLength) return
      const { length, ...head } = this.#checked()
      const [payload, taken] = this.#takePayload(bytes.subarray(at), length)
      at += taken
      if (!payload) return
      this.#held = this.#filled = 0
      this.#payload = undefined
      yield { ...head, payload }
    }
  }

  #takeHead(bytes: Uint8Array): number {
    const count = Math.min(headLength - this.#held, bytes.length)
    this.#head.set(bytes.subarray(0, count), this.#held)
    this.#held += count
    return count
  }

  /** The payload when it is complete, and how many of the bytes belong to it. */
  #takePayload(bytes: Uint8Array, length: number): [payload: Uint8Array | undefined, taken: number] {
    if (this.#payload === undefined && bytes.length >= length) return [bytes.subarray(0, length), length]
    this.#payload ??= Buffer.alloc(length)
    const taken = Math.min(length - this.#filled, bytes.length)
    this.#payload.set(bytes.subarray(0, taken), this.#filled)
    this.#filled += taken
    return [this.#filled === length ? this.#payload : undefined, taken]
  }

  #checked(): Omit<Frame, 'payload'> & { readonly length: number } {
    const [length, number, which] = [
      this.#head.readUInt32LE(0),
      this.#head.readUInt16LE(4),
      this.#head.readUInt16LE(6),
    ]
    const kind = kinds.get(number)
    const most = kind && this.#limits[kind]
    if (kind === undefined || most === undefined) throw malformed(`a frame of kind ${number}`)
    if (length > most)
      throw malformed(`${length} bytes in a frame of kind ${kind}, which has at most ${most}`)
    if (which !== input && which !== output && which !== errorOutput) throw malformed(`file ${which}`)
    return { kind, which, stream: this.#head.readUInt32LE(8), length }
  }
}

function malformed(reason: string): DecodeError {
  return new DecodeError('frame', 0, reason)
}
