import { settingText } from '../../base/index.ts'
import { masquerade, match, type Nft, not, openNft, type Statement } from '../../nft/index.ts'
import type { Pair } from '../../plan/index.ts'
import type { NetNamespace } from '../../sys/index.ts'
import { NetError } from '../errors.ts'

export interface NatOptions {
  readonly namespace: NetNamespace
  readonly table: string
  /** The table goes when the returned connection is closed or this process ends. Otherwise it stays. */
  readonly owner?: boolean
}

/** Packets from these subnets to other destinations leave with an address of the outside. */
export function masqueradeBase({ ipv4, ipv6 }: Pair, options: NatOptions): Promise<Nft> {
  return masqueraded(options, [
    [match.ip.saddr(ipv4), not(match.ip.daddr(ipv4))],
    [match.ip6.saddr(ipv6), not(match.ip6.daddr(ipv6))],
  ])
}

/** Packets from net 0 leave over the uplink with the uplink's address. */
export function masqueradeNet0(
  { ipv4, ipv6 }: Pair,
  { link, ...options }: NatOptions & { readonly link: string },
): Promise<Nft> {
  const leaving = match.oifname(link)
  return masqueraded(options, [
    [leaving, match.ip.saddr(ipv4)],
    [leaving, match.ip6.saddr(ipv6)],
  ])
}

/** A table with one chain of such rules and nothing else, so that it can be removed as a whole. */
async function masqueraded(
  { namespace, table: name, owner = false }: NatOptions,
  rules: readonly (readonly Statement[])[],
): Promise<Nft> {
  const nft = openNft({ namespace })
  const table = { family: 'inet', name } as const
  const chain = { table, name: 'postrouting' }
  try {
    await nft.transaction(({ tables, chains, rules: into }) => {
      tables.create({ ...table, owner })
      chains.add({ ...chain, type: 'nat', hook: 'postrouting', priority: 'srcnat' })
      for (const matches of rules)
        into.add({ table, chain: chain.name, statements: [...matches, masquerade()] })
    })
    return nft
  } catch (failure) {
    const { tables } = await nft.list({ family: 'inet', table: name })
    await nft.close()
    throw tables.length > 0 ? taken(name, failure) : failure
  }
}

function taken(target: string, cause: unknown): NetError {
  const reason = 'a table with this name exists already'
  const remedy = `Give the cluster another ${settingText('name')}, or stop the cluster that has this table`
  return new NetError({ code: 'UPLINK_TAKEN', op: 'create table', target, reason, remedy, cause })
}
