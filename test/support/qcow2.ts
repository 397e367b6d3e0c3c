/** The fields of a qcow2 header that tests change (QEMU `docs/interop/qcow2.txt`). */
export interface Qcow2Fields {
  readonly version?: number
  readonly clusterBits?: number
  readonly size?: number
  readonly crypt?: number
  readonly l1Entries?: number
  readonly l1At?: number
  /** Bits of the incompatible features. */
  readonly incompatible?: readonly number[]
  readonly headerLength?: number
  readonly backing?: string
  /** Type and content. */
  readonly extensions?: readonly (readonly [number, string])[]
}

/** The bytes of a small qcow2 image without content: its header, and room for its tables. */
export function qcow2(fields: Qcow2Fields = {}): Uint8Array {
  const { version = 3, clusterBits = 16, size = 1 << 20, crypt = 0, l1Entries = 1, l1At = 3 << 16 } = fields
  const out = Buffer.alloc(4 << 16)
  const { incompatible = [], headerLength = 104, backing, extensions = [] } = fields
  out.write('QFI\xfb', 0, 'latin1')
  out.writeUInt32BE(version, 4)
  out.writeUInt32BE(clusterBits, 20)
  out.writeBigUInt64BE(BigInt(size), 24)
  out.writeUInt32BE(crypt, 32)
  out.writeUInt32BE(l1Entries, 36)
  out.writeBigUInt64BE(BigInt(l1At), 40)
  out.writeBigUInt64BE(BigInt(1 << 16), 48)
  out.writeUInt32BE(1, 56)
  if (version === 3) {
    out.writeBigUInt64BE(
      incompatible.reduce((sum, bit) => sum | (1n << BigInt(bit)), 0n),
      72,
    )
    out.writeUInt32BE(4, 96)
    out.writeUInt32BE(headerLength, 100)
  }
  let at = version === 3 ? headerLength : 72
  for (const [type, content] of extensions) {
    out.writeUInt32BE(type, at)
    out.writeUInt32BE(content.length, at + 4)
    out.write(content, at + 8, 'latin1')
    at += 8 + Math.ceil(content.length / 8) * 8
  }
  if (backing !== undefined) {
    out.writeBigUInt64BE(BigInt(at + 8), 8)
    out.writeUInt32BE(backing.length, 16)
    out.write(backing, at + 8, 'latin1')
  }
  return out
}
