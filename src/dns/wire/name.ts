import { headerBytes, maxName } from './constants.ts'

/**
 * Maps ASCII capitals to small letters, and every other byte to itself (RFC 4343: only ASCII is
 * case-insensitive).
 */
export const lower: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte,
)

/** The most pointers in one name. Real names have one; each costs a jump, and a message can hold thousands. */
const maxJumps = 32

/**
 * The offset after a name in a message, or -1 for a name that is cut off, longer than 255 bytes, has a
 * pointer that does not lead backwards (or leads into the header), or has too many pointers. The name is
 * followed to its root, so that every receiver of a forwarded message can read it.
 */
export function skipName(bytes: Uint8Array, at: number, end: number): number {
  let behind = -1
  let length = 1
  let jumps = 0
  let start = at
  for (let here = at; here < end; ) {
    const size = bytes[here]!
    if (size === 0) return behind < 0 ? here + 1 : behind
    if (size < 0x40) {
      here += size + 1
      length += size + 1
      if (length > maxName) return -1
    } else {
      if (size < 0xc0 || here + 1 >= end || ++jumps > maxJumps) return -1
      const target = ((size & 0x3f) << 8) | bytes[here + 1]!
      if (behind < 0) behind = here + 2
      if (target >= start || target < headerBytes) return -1
      start = here = target
    }
  }
  return -1
}

/** The uncompressed wire format of `www.example.org`, with `\.`, `\\` and `\000`-`\255` as in zone files. */
export function nameBytes(text: string): Uint8Array | undefined {
  if (text === '.' || text === '') return Uint8Array.of(0)
  const labels = labelsOf(text)
  const size = labels.reduce((sum, label) => sum + label.length + 1, 1)
  if (size > maxName || labels.some(label => label.length === 0 || label.length > 63)) return undefined
  return Uint8Array.from([...labels.flatMap(label => [label.length, ...label]), 0])
}

function labelsOf(text: string): number[][] {
  const bytes = Buffer.from(text)
  const labels: number[][] = [[]]
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!
    if (byte === 0x2e) labels.push([])
    else if (byte !== 0x5c) labels.at(-1)!.push(byte)
    else {
      const decimal = /^\d{3}/.exec(bytes.toString('latin1', i + 1, i + 4))?.[0]
      labels.at(-1)!.push(decimal ? Number(decimal) & 0xff : (bytes[i + 1] ?? 0x5c))
      i += decimal ? 3 : 1
    }
  }
  if (labels.at(-1)!.length === 0) labels.pop()
  return labels
}

/** The text of an uncompressed name, with its final dot: `www.example.org.`. Ambiguous characters are escaped. */
export function nameText(bytes: Uint8Array, at = 0): string {
  let text = ''
  for (let here = at; bytes[here]; here += bytes[here]! + 1) {
    for (const byte of bytes.subarray(here + 1, here + 1 + bytes[here]!)) text += printable(byte)
    text += '.'
  }
  return text || '.'
}

function printable(byte: number): string {
  if (byte <= 0x20 || byte >= 0x7f) return `\\${byte.toString().padStart(3, '0')}`
  const char = String.fromCharCode(byte)
  return char === '.' || char === '\\' ? `\\${char}` : char
}

/** An uncompressed name in small letters, as a string of its bytes: the key for looking up names. */
export function nameKey(bytes: Uint8Array): string {
  return Buffer.from(bytes.map(byte => lower[byte]!)).toString('latin1')
}

/**
 * A name's key, its parent's, its grandparent's, … and the root's: `\x03www\x07example\x00`,
 * `\x07example\x00`, `\x00`.
 */
export function* ancestry(key: string): Generator<string> {
  let at = 0
  for (;;) {
    yield key.slice(at)
    const size = key.charCodeAt(at)
    if (!size) return
    at += size + 1
  }
}
