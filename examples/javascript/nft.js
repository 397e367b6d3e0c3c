// A firewall in a network namespace that goes with this process. It takes root.
import { accept, match, NetNamespace, openNft } from 'xcluster/nft'

const namespace = NetNamespace.create()
const nft = openNft({ namespace })
const table = { family: 'inet', name: 'example' }
try {
  await nft.transaction(({ tables, chains, rules }) => {
    tables.add(table)
    chains.add({ table, name: 'input', hook: 'input', policy: 'drop' })
    rules.add({ table, chain: 'input', statements: [match.tcp.dport(22), accept()], comment: 'ssh' })
  })

  for (const { name, chains } of (await nft.list()).tables)
    for (const chain of chains)
      console.log(
        `${name} ${chain.name}: ${chain.policy}, except ${chain.rules.map(({ comment }) => comment)}`,
      )
} finally {
  await nft.close()
  await namespace.close()
}
