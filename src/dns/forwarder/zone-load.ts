/** A query to the upstreams that can be ended before it has an answer. */
export interface Slow {
  end(): void
}

/** The queries below one domain that have been waiting for long. */
interface ZoneQueries {
  readonly slow: Set<Slow>
}

const arpa = { in4: '\x07in-addr\x04arpa\0', in6: '\x03ip6\x04arpa\0' }
/** How many labels the domain of a name has: of a site, of a /16 of IPv4 addresses, or of a /32 of IPv6 ones. */
const [siteLabels, labels4, labels6] = [2, 4, 10]

/**
 * Finds domains whose servers do not answer. Resolvers behind a forwarder ask those servers in vain, for as
 * long as they like, and each name of such a domain costs a place here. So a domain may only have a share of
 * the places for names that wait longer than usual.
 */
export class ZoneLoad {
  readonly #share: number
  readonly #zones = new Map<string, ZoneQueries>()

  /** `share`: the most slow queries of one domain. */
  constructor(share: number) {
    this.#share = share
  }

  /** The number of domains with slow queries. */
  get size(): number {
    return this.#zones.size
  }

  /** True when the domain has its share of slow queries: a further name would only wait as well. */
  isFull(zone: string): boolean {
    return (this.#zones.get(zone)?.slow.size ?? 0) >= this.#share
  }

  /** Counts a query that has been waiting longer than usual. */
  add(zone: string, query: Slow): void {
    const there = this.#zones.get(zone)
    if (there) there.slow.add(query)
    else this.#zones.set(zone, { slow: new Set([query]) })
  }

  remove(zone: string, query: Slow): void {
    const there = this.#zones.get(zone)
    if (there?.slow.delete(query) && there.slow.size === 0) this.#zones.delete(zone)
  }

  /** Ends the oldest slow query of the domain that has most of them. False when there is none. */
  endOne(): boolean {
    let most: ZoneQueries | undefined
    for (const zone of this.#zones.values()) if (zone.slow.size > (most?.slow.size ?? 0)) most = zone
    for (const oldest of most?.slow ?? []) {
      oldest.end()
      return true
    }
    return false
  }
}

/**
 * The domain that a name counts for: its last two labels, or its parent when it has no more than those. It is
 * a guess, because a forwarder does not see where zones begin. For reverse names it is a network.
 */
export function zoneOf(name: string): string {
  let left = 0
  for (let at = 0; name.charCodeAt(at) > 0; at += name.charCodeAt(at) + 1) left++
  const labels = name.endsWith(arpa.in4) ? labels4 : name.endsWith(arpa.in6) ? labels6 : siteLabels
  const wanted = Math.min(labels, Math.max(left - 1, 1))
  let start = 0
  for (; left > wanted; left--) start += name.charCodeAt(start) + 1
  return name.slice(start)
}
