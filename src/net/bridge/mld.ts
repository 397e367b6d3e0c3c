import { Scope } from '../../base/index.ts'
import { drop, match, NetlinkError, openNft } from '../../nft/index.ts'
import type { NetNamespace } from '../../sys/index.ts'

/** ICMPv6 type of a Multicast Listener Report, version 2 (RFC 3810 §5.2). */
const listenerReport = 143

const table = { family: 'bridge', name: 'xcluster_quiet', owner: true } as const

/**
 * Until it is closed, no bridge in a namespace passes on who has joined which IPv6 multicast group. Every interface
 * that comes up tells it to everybody, three times: while a hundred nodes start, each of them would wake up six
 * hundred times to learn what only multicast routers want to know, and those ask (RFC 3810 §7.1). The table goes
 * with its socket, whatever happens. A kernel without filters on bridges passes them all on.
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
