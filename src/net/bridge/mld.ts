import { Scope } from '../../base/index.ts'
import { drop, match, NetlinkError, openNft } from '../../nft/index.ts'
import type { NetNamespace } from '../../sys/index.ts'

/** ICMPv6 type of a Multicast Listener Report, version 2 (RFC 3810 §5.2). */
const listenerReport = 143

const table = { family: 'bridge', name: 'xcluster_quiet', owner: true } as const

/**
 * Until it is closed, the bridges in a namespace do not forward reports of IPv6 multicast group members.
 * Every interface that comes up reports to all nodes, three times. While a hundred nodes start, that would
 * wake up each of them six hundred times with information for multicast routers alone, which also query it
 * (RFC 3810 §7.1). The table goes with its socket in any case. A kernel without filters on bridges forwards
 * all reports.
 */
export async function suppressMldReports(namespace: NetNamespace): Promise<AsyncDisposable> {
  await using scope = new Scope()
  try {
    const nft = scope.add(openNft({ namespace }))
    await nft.transaction(({ tables, chains, rules }) => {
      tables.add(table)
      chains.add({ table, name: 'forward', hook: 'forward', priority: 'filter' })
      rules.add({ table, chain: 'forward', statements: [match.icmpv6.type(listenerReport), drop()] })
    })
  } catch (failure) {
    if (!(failure instanceof NetlinkError)) throw failure
    await scope.close()
  }
  return scope.move()
}
