import { openNft } from '../../nft/index.ts'
import type { NetNamespace } from '../../sys/index.ts'

/** A rule that prevents packets from being forwarded, and a remedy. */
export interface Obstacle {
  readonly what: string
  readonly remedy: string
}

/**
 * The chains that drop forwarded packets. An `accept` in a table of this project would not help: every chain
 * at a hook decides, and one drop is enough (nft(8), "Verdict statements"). So the exception must be made in
 * that chain.
 */
export async function forwardingObstacles(namespace: NetNamespace): Promise<Obstacle[]> {
  await using nft = openNft({ namespace })
  const { tables } = await nft.list()
  return tables
    .filter(({ dormant }) => !dormant)
    .flatMap(({ family, name: table, chains }) =>
      chains
        .filter(({ hook, policy }) => hook === 'forward' && policy === 'drop')
        .map(({ name, rules }) => ({
          what: `chain ${name} of table ${family} ${table} drops forwarded packets by default`,
          remedy: exceptionFor(`${family} ${table} ${usersChain(rules, name)}`),
        })),
    )
}

/** Docker reserves a chain for its users, which it does not rewrite. */
function usersChain(rules: readonly { readonly expressions: readonly unknown[] }[], chain: string): string {
  return JSON.stringify(rules, (_, value) => (typeof value === 'bigint' ? undefined : value)).includes(
    '"DOCKER-USER"',
  )
    ? 'DOCKER-USER'
    : chain
}

function exceptionFor(chain: string): string {
  const insert = (direction: string) => `nft insert rule ${chain} ${direction} "xcluster*" accept`
  return `Accept packets of uplinks: ${insert('iifname')}; ${insert('oifname')}`
}
