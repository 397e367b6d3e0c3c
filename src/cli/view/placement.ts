import type { ClusterPlan } from '../../plan/index.ts'
import { table } from './table.ts'

interface Placed {
  readonly plan: ClusterPlan
  readonly placement: ReadonlyMap<number, number>
  readonly hosts: number
  readonly cpu: string
  readonly nets: readonly { readonly net: number; readonly hosts: ReadonlyMap<number, unknown> }[]
}

/** What `xc host --dry-run --json` prints. */
export function placementValue({ plan, placement, hosts, cpu, nets }: Placed) {
  const on = (host: number) => plan.nodes.filter(({ id }) => placement.get(id) === host)
  return {
    v: 1,
    name: plan.name,
    hosts: Array.from({ length: hosts }, (_, host) => ({
      ...{ host, cpu },
      nodes: on(host).map(({ id }) => id),
      memMiB: on(host).reduce((sum, { memMiB }) => sum + memMiB, 0),
      vcpus: on(host).reduce((sum, { vcpus }) => sum + vcpus, 0),
    })),
    between: nets.map(each => ({ net: each.net, hosts: [...each.hosts.keys()].sort((a, b) => a - b) })),
  } as const
}

/** The hosts with their nodes, and the nets that lead from host to host. */
export function placementText({ hosts, between }: ReturnType<typeof placementValue>): string {
  const rows = hosts.map(({ host, nodes, memMiB, vcpus }) => [
    ...[`${host}`, `${nodes.length}`, `${memMiB} MiB`, `${vcpus}`],
    nodes.join(' ') || '-',
  ])
  const cpus = [...new Set(hosts.map(({ cpu }) => cpu))]
  const nets = between.map(({ net, hosts: joined }) => [`${net}`, joined.join(' ')])
  return [
    table(['host', 'nodes', 'memory', 'cpus', 'ids'], rows),
    '\n',
    `CPU of each: ${cpus.join(', ')}. Hosts with others make templates of their own (docs/hosts.md#cpus).\n`,
    nets.length === 0 ? 'No net leads from host to host.\n' : table(['net', 'joins hosts'], nets),
  ].join('')
}
