import { addressBytes, parseCidr } from '../../base/index.ts'
import { nameBytes, nameKey } from '../wire/name.ts'

/**
 * The name under which an address is looked up: `1.0.168.192.in-addr.arpa` (RFC 1035 §3.5), nibbles for IPv6
 * (RFC 3596 §2.5).
 */
export function reverseName(address: string): string {
  const bytes = [...addressBytes(address)].reverse()
  if (bytes.length === 4) return `${bytes.join('.')}.in-addr.arpa`
  return `${bytes.map(byte => `${(byte & 0xf).toString(16)}.${(byte >> 4).toString(16)}`).join('.')}.ip6.arpa`
}

/** The key of the reverse zone of a network. A prefix between two labels is widened to the next one. */
export function reverseZone(net: string): string {
  const { address, prefix } = parseCidr(net)
  const v4 = address.includes('.')
  const labels = reverseName(address).split('.')
  const spare = v4 ? 4 - Math.floor(prefix / 8) : 32 - Math.floor(prefix / 4)
  return nameKey(nameBytes(labels.slice(spare).join('.'))!)
}
