import { addressBytes, parseCidr } from '../../base/index.ts'

/** Tells whether an address, of 4 or 16 bytes, is in a network. */
export type NetMatcher = (address: Uint8Array) => boolean

export function matcher(net: string): NetMatcher {
  const { address, prefix } = parseCidr(net)
  const bytes = addressBytes(address)
  const whole = prefix >> 3
  const rest = (0xff00 >> (prefix & 7)) & 0xff
  return other => {
    if (other.length !== bytes.length) return false
    for (let i = 0; i < whole; i++) if (other[i] !== bytes[i]) return false
    return rest === 0 || (other[whole]! & rest) === (bytes[whole]! & rest)
  }
}

/** The IPv4 address in `::ffff:192.0.2.1` (RFC 4291 §2.5.5.2). */
export function unmapped(address: Uint8Array): Uint8Array {
  if (address.length !== 16 || address[10] !== 0xff || address[11] !== 0xff) return address
  return address.subarray(0, 10).every(byte => byte === 0) ? address.subarray(12) : address
}
