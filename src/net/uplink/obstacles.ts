import { openNft } from '../../nft/index.ts'
import type { NetNamespace } from '../../sys/index.ts'

/** Something that keeps packets from being forwarded, and what to do about it. */
export interface Obstacle {
  readonly what: string
  readonly remedy: string
}

/**
 * Who drops what is only passing through. An `accept` in a table of ours would not help: every chain at a hook has its
 * say, and one drop is enough (nft(8), "Verdict statements"). So somebody has to make an exception in that chain.
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
          what: `chain ${name} of table ${family} ${table} drops what it does not know`,
          remedy: exceptionFor(`${family} ${table} ${usersChain(rules, name)}`),
        })),
    )
}

/** Docker leaves a chain to its users, which it does not make anew. */
function usersChain(rules: readonly { readonly expressions: readonly unknown[] }[], chain: string): string {
  return JSON.stringify(rules, (_, value) => (typeof value === 'bigint' ? undefined : value)).includes(
    '"DOCKER-USER"',
  )
    ? 'DOCKER-USER'
    : chain
}

function exceptionFor(chain: string): string {
  const insert = (direction: string) => `nft insert rule ${chain} ${direction} "xcluster*" accept`
  return `Let ways out pass: ${insert('iifname')}; ${insert('oifname')}`
}
