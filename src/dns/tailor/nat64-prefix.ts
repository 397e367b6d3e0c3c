import { addressBytes, addressText, parseCidr } from '../../base/index.ts'
import { DnsError } from '../errors.ts'
import { matcher } from '../wire/prefixes.ts'

/** The prefix that everyone may use, for addresses of the internet alone (RFC 6052 §2.1, §3.1). */
export const wellKnownPrefix = '64:ff9b::/96'
/** RFC 6052 §2.2. */
const lengths = [32, 40, 48, 56, 64, 96]
/** Bits 64 to 71 are zero: the address jumps over that byte. */
const skipped = 8

/** Puts IPv4 addresses into IPv6 ones, and finds them there (RFC 6052 §2.2). */
export class Nat64Prefix {
  readonly isWellKnown: boolean
  readonly #prefix: Uint8Array
  readonly #places: readonly number[]
  readonly #holds: (address: Uint8Array) => boolean

  /** Throws BAD_PREFIX. */
  constructor(text: string) {
    const { address, prefix } = read(text)
    this.isWellKnown = `${addressText(addressBytes(address))}/${prefix}` === wellKnownPrefix
    this.#prefix = addressBytes(address)
    const first = prefix / 8
    this.#places = Array.from({ length: 5 }, (_, i) => first + i)
      .filter(place => place !== skipped)
      .slice(0, 4)
    this.#holds = matcher(text)
  }

  embed(ipv4: Uint8Array): Uint8Array {
    const bytes = Uint8Array.from(this.#prefix)
    for (const [i, place] of this.#places.entries()) bytes[place] = ipv4[i]!
    return bytes
  }

  /** The IPv4 address in an IPv6 one; undefined for one outside the prefix. */
  extract(ipv6: Uint8Array): Uint8Array | undefined {
    if (!this.#holds(ipv6)) return undefined
    const ipv4 = Uint8Array.from(this.#places, place => ipv6[place]!)
    // Else the bytes around it are not zero, and nothing made this address.
    return Buffer.compare(this.embed(ipv4), ipv6) === 0 ? ipv4 : undefined
  }
}

function read(text: string): { address: string; prefix: number } {
  let reason = 'it is not an IPv6 prefix'
  try {
    const cidr = parseCidr(text)
    const bytes = addressBytes(cidr.address)
    const zero = bytes.subarray(cidr.prefix / 8).every(byte => byte === 0)
    if (bytes.length === 16 && lengths.includes(cidr.prefix) && zero && bytes[skipped] === 0) return cidr
    reason = `its length is not one of ${lengths.join(', ')}, or bits behind it or from 64 to 71 are not zero`
  } catch {
    // The reason above says it.
  }
  const remedy = `Example: ${wellKnownPrefix}`
  return fail(text, reason, remedy)
}

function fail(target: string, reason: string, remedy: string): never {
  throw new DnsError({ code: 'BAD_PREFIX', kind: 'usage', op: 'use NAT64 prefix', target, reason, remedy })
}
