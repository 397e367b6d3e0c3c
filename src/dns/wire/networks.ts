import { addressBytes } from '../../base/index.ts'
import { matcher, unmapped } from './prefixes.ts'

/**
 * Says who may ask: addresses, as text or bytes, in one of these networks; IPv4 ones also as IPv6 sockets show them,
 * `::ffff:127.0.0.1`. Throws for what is no network.
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
