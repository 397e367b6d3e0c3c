import { addressBytes } from '../../base/index.ts'
import { matcher, unmapped } from './prefixes.ts'

/**
 * A function that tells whether an address, as text or bytes, is in one of these networks. IPv4 networks also
 * match mapped addresses, `::ffff:127.0.0.1`. Throws BAD_ADDRESS for text that is not a network.
 */
export function allowing(nets: readonly string[]): (address: string | Uint8Array) => boolean {
  const matchers = nets.map(matcher)
  return address => {
    const bytes = unmapped(typeof address === 'string' ? addressBytes(withoutScope(address)) : address)
    return matchers.some(matches => matches(bytes))
  }
}

function withoutScope(address: string): string {
  const at = address.indexOf('%')
  return at < 0 ? address : address.slice(0, at)
}
