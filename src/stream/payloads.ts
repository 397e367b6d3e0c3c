import { type Codec, DecodeError, i32, Reader, struct, u32, type ValueOf, Writer } from '../base/index.ts'

/** The guest's answer to `open`: an errno or 0, the process, and the bytes of input that it takes at first. */
export const opened = struct({ error: i32, pid: u32, window: u32 })
export type Opened = ValueOf<typeof opened>

/** The whole payload as one value. Throws MALFORMED_BYTES when it is longer or shorter. */
export function readWhole<T>(codec: Codec<T>, payload: Uint8Array): T {
  const from = new Reader(payload)
  const value = codec.read(from)
  if (from.left > 0) throw new DecodeError('payload', from.offset, `${from.left} bytes too many`)
  return value
}

export function payloadOf<T>(codec: Codec<T>, value: T): Uint8Array {
  const out = new Writer(16)
  codec.write(out, value)
  return out.done().slice()
}

export const numberOf = (payload: Uint8Array): number => readWhole(u32, payload)
export const numberPayload = (value: number): Uint8Array => payloadOf(u32, value)

/** The status of a command that ended without one: its stream was closed or lost. */
export const unknownStatus = -1

/** The end of a command: its status as wait(2) gives it, and from an owner the reason why there is none. */
export function readExit(payload: Uint8Array): { readonly status: number; readonly reason?: string } {
  const from = new Reader(payload)
  const status = from.i32('status')
  return { status, ...(from.left > 0 && { reason: from.text() }) }
}

export function exitPayload(status: number, reason = ''): Uint8Array {
  const out = new Writer(64)
  out.i32(status)
  out.text(reason.slice(0, 500))
  return out.done().slice()
}
