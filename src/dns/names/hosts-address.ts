/** A part of a line. */
interface Part {
  readonly from: number
  readonly to: number
}

const [dot, colon] = [0x2e, 0x3a]

/**
 * Reads an address as hosts files have it: 4 bytes in decimal without leading zeros, or 16 in hexadecimal
 * groups. Returns the number of bytes, or 0 for what it does not know, which may be another way to write one.
 */
export function parseAddress(line: Uint8Array, part: Part, into: Uint8Array): number {
  return parse4(line, part, into) || parse6(line, part, into)
}

function parse4(line: Uint8Array, { from, to }: Part, into: Uint8Array): number {
  let value = 0
  let digits = 0
  let count = 0
  for (let at = from; at <= to; at++) {
    const byte = at < to ? line[at]! : dot
    if (byte === dot) {
      if (digits === 0 || count === 4) return 0
      into[count++] = value
      value = 0
      digits = 0
    } else {
      if (byte < 0x30 || byte > 0x39 || (digits > 0 && value === 0)) return 0
      value = value * 10 + byte - 0x30
      digits++
      if (value > 255) return 0
    }
  }
  return count === 4 ? 4 : 0
}

function parse6(line: Uint8Array, { from, to }: Part, into: Uint8Array): number {
  let length = 0
  let gap = -1
  let at = from
  if (line[at] === colon) {
    if (line[at + 1] !== colon) return 0
    at++
  }
  while (at < to) {
    if (line[at] === colon) {
      if (gap >= 0) return 0
      gap = length
      at++
      continue
    }
    let value = 0
    const start = at
    for (; at < to && line[at] !== colon; at++) {
      const digit = hexDigit(line[at]!)
      if (digit < 0 || at - start === 4) return 0
      value = (value << 4) | digit
    }
    if (length > 14) return 0
    into[length++] = value >> 8
    into[length++] = value & 0xff
    if (at < to && ++at === to) return 0
  }
  return fillGap(into, length, gap)
}

function fillGap(into: Uint8Array, length: number, gap: number): number {
  if (gap < 0) return length === 16 ? 16 : 0
  if (length > 14) return 0
  const moved = length - gap
  into.copyWithin(16 - moved, gap, length)
  into.fill(0, gap, 16 - moved)
  return 16
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}
