import { emptyOpt, headerBytes } from './constants.ts'

/** What a query is padded to, so that its size says little about its name (RFC 8467 §4.1). */
const block = 128
/** RFC 7830 §3. */
const paddingOption = 12

/** A query with an OPT record at its end, without options, padded to a multiple of 128 bytes; others as they are. */
export function padded(wire: Buffer, questionLength: number): Buffer {
  if (wire.length !== headerBytes + questionLength + emptyOpt) return wire
  const size = Math.ceil((wire.length + 4) / block) * block
  const whole = Buffer.alloc(size)
  wire.copy(whole)
  const option = size - wire.length
  whole.writeUInt16BE(option, wire.length - 2)
  whole.writeUInt16BE(paddingOption, wire.length)
  whole.writeUInt16BE(option - 4, wire.length + 2)
  return whole
}
