import { macText } from '../src/base/index.ts'
import { entriesOn, netsBetween } from '../src/fleet/between.ts'
import { place } from '../src/fleet/placement.ts'
import type { Benchmark, Sample, Unit } from './benchmark.ts'

const perHost = 100
const perRack = 20
const perSite = 1000

/** Nodes on net 0, on the net of their rack and on that of their site. Ids as in a lab with more of them than one has today. */
function nodesOf(count: number) {
  return Array.from({ length: count }, (_, id) => {
    const nets = [0, 1 + Math.floor(id / perSite), 10_000 + Math.floor(id / perRack)]
    const mac = macText(Uint8Array.of(2, 0, id >> 24, id >> 16, id >> 8, id))
    return { id, needMiB: 64, templateMiB: 224, vcpus: 1, nets, links: nets.map(net => ({ net, mac })) }
  })
}

function hostsOf(count: number) {
  return Array.from({ length: count }, (_, n) => ({
    ...{ name: `host ${n}`, freeMiB: 64 * (perHost + 20) + 224, processors: 64 },
  }))
}

/** What a leader and each host compute before a lab starts: the host of each node, and the forwarding entries of each host. */
async function planned(hosts: number): Promise<Sample> {
  const [nodes, rooms] = [nodesOf(hosts * perHost), hostsOf(hosts)]
  const began = performance.now()
  const placement = place(nodes, rooms)
  const placed = performance.now()
  const nets = netsBetween(
    nodes.map(({ id, links }) => ({ id, nets: links })),
    placement,
    'bench',
  )
  const known = performance.now()
  let entries = 0
  for (let host = 0; host < hosts; host++)
    for (const net of nets) if (net.hosts.has(host)) entries += entriesOn(host, net).length
  return {
    placement: placed - began,
    nets: known - placed,
    'entries of all hosts': performance.now() - known,
    all: performance.now() - began,
    entries,
    'peak memory': process.resourceUsage().maxRSS / 1024,
  }
}

const hosts: Benchmark = {
  rounds: { usual: 9, quick: 2 },
  async prepare() {
    const times = { placement: 'ms', nets: 'ms', 'entries of all hosts': 'ms', all: 'ms' } as const
    const units: Record<string, Unit> = { ...times, entries: 'count', 'peak memory': 'MiB' }
    const cases = [100, 1000].map(count => ({
      n: count * perHost,
      units,
      variants: { [`${count} hosts`]: () => planned(count) },
    }))
    return { cases }
  },
}
export default hosts
