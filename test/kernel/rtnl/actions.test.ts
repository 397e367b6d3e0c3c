import { expect } from 'vitest'
import {
  type FilterSpec,
  NetlinkError,
  openRoute,
  type QdiscSettings,
  veth,
} from '../../../src/rtnl/index.ts'
import { NetNamespace } from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'
import { inNamespace } from '../../support/namespace.ts'

async function wired(namespace: NetNamespace) {
  const route = openRoute({ namespace })
  await route.links.add(veth({ name: 'v0', index: 101, up: true, peer: { name: 'v1' } }))
  return route
}

const lacking = ['QDISC_MISSING', 'FILTER_MISSING']

/** Undefined when it was carried out; else what the kernel lacks, which has to be said. */
async function lackOf(change: Promise<void>, kind: string): Promise<string | undefined> {
  try {
    await change
  } catch (refusal) {
    if (!(refusal instanceof NetlinkError) || !lacking.includes(refusal.code)) throw refusal
    expect(refusal.message).toContain(`This kernel has no ${kind} `)
    return `this kernel has no ${kind}`
  }
  return undefined
}

const qdiscs: QdiscSettings[] = [
  { kind: 'fq', limit: 1000, flowLimit: 50, quantum: 3000, maxRate: 8e6, buckets: 1024, pacing: true },
  { kind: 'prio', bands: 4, map: [1, 2, 3, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1] },
  { kind: 'sfq', perturb: 10, quantum: 1514, limit: 100, divisor: 1024 },
  {
    kind: 'sfq',
    headDrop: true,
    red: { limit: 100_000, min: 8000, max: 60_000, probability: 0.2, ecn: true },
  },
]

test.for(qdiscs)(
  'the qdisc %j is listed as it was added, where the kernel has it',
  async (settings, { skip }) => {
    await using namespace = NetNamespace.create()
    await using route = await wired(namespace)
    const lack = await lackOf(route.qdiscs.add({ link: 'v0', ...settings }), settings.kind)
    if (lack) return skip(lack)
    const [root] = await route.qdiscs.list({ link: 'v0' })
    expect(root).toMatchObject({ kind: settings.kind, settings })
    const { stdout } = await inNamespace(namespace, ['tc', '-j', 'qdisc', 'show', 'dev', 'v0', 'root'])
    expect(JSON.parse(stdout)).toMatchObject([{ kind: settings.kind }])
  },
)

type Listed = Omit<FilterSpec, 'link' | 'parent'>
const filters: [kind: string, spec: Listed][] = [
  [
    'flower',
    { protocol: 'ip', from: '10.0.0.0/8', match: { ipProtocol: 6, destinationPort: 443 }, classId: '1:10' },
  ],
  [
    'flower',
    {
      protocol: 'ip',
      match: { tunnel: { id: 42, to: '10.2.0.1/32', destinationPort: 4789 } },
      verdict: 'drop',
    },
  ],
  ['police', { police: { rate: 8e6, burst: 20_000, exceed: 'drop', conform: 'pipe' } }],
  ['gact', { verdict: 'drop' }],
  ['mirred', { mirror: 101 }],
]

test.for(filters)(
  'a filter with %s is listed as it was added, where the kernel has it',
  async ([kind, spec], { skip }) => {
    await using namespace = NetNamespace.create()
    await using route = await wired(namespace)
    await route.qdiscs.add({ link: 'v0', kind: 'ingress' })
    const lack = await lackOf(
      route.filters.add({ link: 'v0', parent: 'ingress', priority: 10, ...spec }),
      kind,
    )
    if (lack) return skip(lack)
    const [found] = await route.filters.list({ link: 'v0', parent: 'ingress' })
    expect(found).toMatchObject({ priority: 10, ...spec })
  },
)
