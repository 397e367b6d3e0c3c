import { masquerade, openNft } from '../nft/index.ts'
import { ifb, openRoute, type Route, veth } from '../rtnl/index.ts'
import { NetNamespace } from '../sys/index.ts'

/** A part of the kernel that networks need. */
export interface KernelPart {
  /** The feature that needs it. */
  readonly gives: string
  readonly option: string
  readonly module: string
}

/** With a test for it. */
interface Tested extends KernelPart {
  try(where: { readonly route: Route; readonly namespace: NetNamespace }): Promise<unknown>
}

const parts: readonly Tested[] = [
  {
    gives: 'uplinks',
    option: 'CONFIG_VETH',
    module: 'veth',
    try: ({ route }) => route.links.add(veth({ name: 'a', peer: { name: 'b' } })),
  },
  {
    gives: 'NAT for uplinks',
    option: 'CONFIG_NF_TABLES_INET, CONFIG_NFT_NAT, CONFIG_NFT_MASQ',
    module: 'nft_masq',
    try: ({ namespace }) => masqueradeIn(namespace),
  },
  {
    gives: 'delay and loss on links',
    option: 'CONFIG_NET_SCH_NETEM',
    module: 'sch_netem',
    try: ({ route }) => route.qdiscs.add({ link: 'lo', kind: 'netem', delay: 1000 }),
  },
  {
    gives: 'rates on links',
    option: 'CONFIG_NET_SCH_TBF',
    module: 'sch_tbf',
    try: ({ route }) =>
      route.qdiscs.replace({ link: 'lo', kind: 'tbf', rate: 1e6, burst: 3000, latency: 1000 }),
  },
  {
    gives: 'rates on incoming packets',
    option: 'CONFIG_IFB',
    module: 'ifb',
    try: ({ route }) => route.links.add(ifb({ name: 'c' })),
  },
]

/** The parts that this kernel lacks. Each is tried in a temporary namespace. */
export async function missingKernelParts(): Promise<KernelPart[]> {
  await using namespace = NetNamespace.create()
  await using route = openRoute({ namespace })
  const missing: KernelPart[] = []
  for (const part of parts) {
    try {
      await part.try({ route, namespace })
    } catch {
      missing.push(part)
    }
  }
  return missing
}

async function masqueradeIn(namespace: NetNamespace): Promise<void> {
  await using nft = openNft({ namespace })
  const table = { family: 'inet', name: 'probe' } as const
  await nft.transaction(({ tables, chains, rules }) => {
    tables.add({ ...table, owner: true })
    chains.add({ table, name: 'postrouting', type: 'nat', hook: 'postrouting', priority: 'srcnat' })
    rules.add({ table, chain: 'postrouting', statements: [masquerade()] })
  })
}
