import { ancestry, nameBytes, nameKey } from '../wire/name.ts'

/** The addresses of `localhost` and of every name below it (RFC 6761 §6.3). */
export const loopbackAddresses = ['127.0.0.1', '::1'] as const

/** Domains without a single name (RFC 6761 §6.4, RFC 7686 §2). */
const emptyDomains = ['invalid', 'onion']

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i)

/** Reverse zones of networks that are private to a site (RFC 6303 §4, RFC 7793 §3). */
const reverseZones = [
  ...['0', '10', '127', '254.169', '168.192', '2.0.192', '100.51.198', '113.0.203', '255.255.255.255'],
  ...range(16, 31).map(byte => `${byte}.172`),
  ...range(64, 127).map(byte => `${byte}.100`),
].map(labels => `${labels}.in-addr.arpa`)

const reverseZones6 = [
  ...[`${'0.'.repeat(32)}`, `1.${'0.'.repeat(31)}`, 'd.f.', '8.b.d.0.1.0.0.2.'],
  ...[...'89ab'].map(nibble => `${nibble}.e.f.`),
].map(labels => `${labels}ip6.arpa`)

const keyOf = (domain: string): string => nameKey(nameBytes(domain)!)
const existing = new Set([...reverseZones, ...reverseZones6].map(keyOf))
const special = new Set([...existing, ...['localhost', ...emptyDomains].map(keyOf)])
const ends = ['arpa', 'localhost', ...emptyDomains].map(keyOf)
const root = '\0'

/**
 * Decides which names concern this machine or its site alone, so that no upstream is asked for them: those
 * of the special domains, unless a zone with servers of its own is given for them.
 */
export class SpecialNames {
  readonly #given: ReadonlySet<string>

  /** `zones`: the domains that have servers of their own. */
  constructor(zones: readonly string[]) {
    const keys = zones.flatMap(domain => nameBytes(domain) ?? []).map(nameKey)
    this.#given = new Set(keys.filter(key => key !== root))
  }

  /** True for a domain with servers of its own. */
  isGiven(name: string): boolean {
    return this.#given.has(name)
  }

  has(name: string): boolean {
    // Nearly all names end otherwise.
    if (!ends.some(end => name.endsWith(end))) return false
    let inside = false
    for (const ancestor of ancestry(name)) {
      if (this.#given.has(ancestor)) return false
      inside ||= special.has(ancestor)
    }
    return inside
  }

  /** True for the top of a reverse zone: it exists, without records to ask for. */
  isZone(name: string): boolean {
    return existing.has(name)
  }
}
