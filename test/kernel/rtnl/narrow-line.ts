import { ifb, type NetNamespace, openRoute } from '../../../src/rtnl/index.ts'

/** Limits `link` to `rate` bit/s each way. Incoming packets are redirected to an ifb, which queues them. */
export async function narrowLine(namespace: NetNamespace, link: string, rate: number): Promise<void> {
  await using route = openRoute({ namespace })
  const bucket = { kind: 'tbf', rate, burst: Math.max(5000, rate / 8000), latency: 50_000 } as const
  await route.batch(({ links, qdiscs, filters }) => {
    links.add(ifb({ name: 'ifb0', up: true }))
    qdiscs.replace({ link, ...bucket })
    qdiscs.replace({ link: 'ifb0', ...bucket })
    qdiscs.add({ link, kind: 'ingress' })
    filters.add({ link, parent: 'ingress', priority: 10, redirect: 'ifb0' })
  })
  for (const { kind, statistics } of await route.qdiscs.list({ link }))
    if (statistics && statistics.drops > 0) throw new Error(`${link}: ${kind} has already dropped packets`)
}
