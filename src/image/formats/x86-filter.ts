const IS_ALLOWED = [true, true, true, false, true, false, false, false]
const BIT_NUMBER = [0, 1, 2, 2, 3, 3, 3, 3]

const isEdge = (byte: number) => byte === 0 || byte === 0xff

/**
 * Converts the absolute targets of x86 calls and jumps back into relative ones, in place: the BCJ filter of
 * xz. The rules are those of the kernel's lib/xz/xz_dec_bcj.c, under which bytes that are not code are
 * restored too.
 */
export function undoX86Filter(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let last = -1 // where the last opcode was
  let mask = 0 // which of the bytes before this one looked like opcodes
  for (let i = 0; i < bytes.length - 4; i++) {
    if ((bytes[i]! & 0xfe) !== 0xe8) continue
    const distance = i - last
    last = i
    mask = distance > 3 ? 0 : (mask << (distance - 1)) & 7
    const doubtful = mask !== 0 && (!IS_ALLOWED[mask] || isEdge(bytes[i + 4 - BIT_NUMBER[mask]!]!))
    if (doubtful || !isEdge(bytes[i + 4]!)) {
      mask = (mask << 1) | 1
      continue
    }
    view.setUint32(i + 1, relative(view.getUint32(i + 1, true), i + 5, mask), true)
    i += 4
  }
  return bytes
}

/** The target of an instruction that ends at `end`, sign-extended from 25 bits. */
function relative(absolute: number, end: number, mask: number): number {
  const shift = BIT_NUMBER[mask]! * 8
  let target = (absolute - end) >>> 0
  while (mask !== 0 && isEdge((target >>> (24 - shift)) & 0xff)) {
    target = ((target ^ (2 ** (32 - shift) - 1)) - end) >>> 0
  }
  return target & 0x01000000 ? (target | 0xfe000000) >>> 0 : target & 0x01ffffff
}
