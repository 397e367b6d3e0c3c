import { masquerade } from './rule/nat.ts'
import { match } from './rule/vocabulary.ts'
import { take } from './takes.ts'
import { transactionBytes } from './transaction.ts'

/** Packets from some subnets leave through one interface with its address. */
export interface Masquerade {
  readonly table: string
  readonly outDev: string
  /** `192.168.1.0/24`, `fd00::c0a8:100/120`. */
  readonly sources: readonly string[]
  /** In place of what the table has. */
  readonly replace?: boolean
}

/**
 * The ruleset as one datagram for the kernel, with the same bytes as nft sends for
 *
 * ```text
 * table inet <table> {
 *   chain postrouting {
 *     type nat hook postrouting priority srcnat; policy accept;
 *     oifname "<outDev>" ip saddr <source> masquerade
 *   }
 * }
 * ```
 *
 * except that the last rule requests an acknowledgement (nft reads until nothing is left).
 */
export function masqueradeBatch(spec: Masquerade): Uint8Array {
  const { table: name, outDev, sources, replace = false } = take('describe masquerade', spec, 'Masquerade')
  const table = { family: 'inet', name } as const
  const chain = 'postrouting'
  return transactionBytes(({ tables, chains, rules }) => {
    tables.add(table)
    if (replace) {
      tables.remove(table)
      if (sources.length === 0) return
      tables.add(table)
    }
    chains.add({ table, name: chain, type: 'nat', hook: chain, priority: 'srcnat', policy: 'accept' })
    for (const source of sources) {
      const from = source.includes(':') ? match.ip6.saddr(source) : match.ip.saddr(source)
      rules.add({ table, chain, statements: [match.oifname(outDev), from, masquerade()] })
    }
  })
}
