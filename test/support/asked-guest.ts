import type { Clock, PortReceiver } from '../../src/base/index.ts'
import { GuestChannel } from '../../src/guest/channel.ts'
import { FrameSplitter, frame, hostLimits } from '../../src/stream/frame.ts'
import { ManualClock } from './manual-clock.ts'

/** What a guest says to a question, by its number and what is asked (docs/guest-channel.md): whole frames. */
export type Saying = (number: number, asked: Buffer) => readonly Uint8Array[]

/** A guest that answers each question, in memory, and the host's channel to it. */
export function askedGuest(says: Saying, clock: Clock = new ManualClock()) {
  let receiver: PortReceiver | undefined
  let closed = false
  const frames = new FrameSplitter(hostLimits)
  const port = {
    receive(to: PortReceiver) {
      receiver = to
    },
    send(bytes: Uint8Array) {
      for (const { stream, payload } of frames.push(bytes))
        for (const said of says(stream, Buffer.from(payload))) receiver!.data(said)
    },
    close: async () => {
      closed = true
    },
    [Symbol.asyncDispose]: async () => {},
  }
  let random = 0
  const channel = new GuestChannel(port, {
    ...{ name: 'vm-001', consoleLog: '/log', clock, wallClock: () => 0 },
    randomBytes: count => new Uint8Array(count).fill(++random),
  })
  return { channel, end: () => receiver!.end(), isClosed: () => closed }
}

/** A piece of an answer. */
export const piece = (number: number, bytes: Uint8Array) => frame('ask', number, { payload: bytes })

/** The end of an answer. */
export function asked(number: number, errno = 0): Uint8Array {
  const payload = Buffer.alloc(4)
  payload.writeInt32LE(errno)
  return frame('asked', number, { payload })
}

/** A message of netlink (struct nlmsghdr, linux/netlink.h), of a listing unless `flags` says otherwise. */
export function message(
  { type, sequence, flags = 2, length }: { type: number; sequence: number; flags?: number; length?: number },
  payload: Uint8Array = new Uint8Array(),
): Buffer {
  const bytes = Buffer.alloc(16 + payload.length)
  bytes.writeUInt32LE(length ?? bytes.length, 0)
  bytes.writeUInt16LE(type, 4)
  bytes.writeUInt16LE(flags, 6)
  bytes.writeUInt32LE(sequence, 8)
  bytes.set(payload, 16)
  return bytes
}

export const done = (sequence: number) => message({ type: 3, sequence }, Buffer.alloc(4))

/** The sequence number, and the type, of what a question asks a kernel. */
export function requestOf(question: Buffer): { readonly sequence: number; readonly type: number } {
  return { sequence: question.readUInt32LE(4 + 8), type: question.readUInt16LE(4 + 4) }
}

/** True for a question that asks for a file. */
export const isFile = (question: Buffer): boolean => question.readUInt16LE(0) === 3
