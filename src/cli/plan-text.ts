import type { ClusterPlan } from '../cluster/index.ts'
import { table } from './table.ts'

/** What would be started, for people. `--json` has all of it, routes and setup included. */
export function planText({ name, topology, nodes, bridges, mtu }: ClusterPlan): string {
  const memory = nodes.reduce((sum, node) => sum + node.memMiB, 0)
  const headline = `cluster ${name}: ${topology}, ${nodes.length} nodes with ${memory} MiB, mtu ${mtu}\n`
  const bridgeRows = bridges.bridges.map(bridge => {
    const taps = bridges.taps.filter(({ net }) => net === bridge.net)
    const addresses = bridge.addresses.map(({ address, prefix }) => `${address}/${prefix}`)
    return [bridge.name, String(taps.length), addresses.join(' ') || '-']
  })
  const nodeRows = nodes.flatMap(node => {
    const own = [String(node.id), node.name, node.role, `${node.memMiB} MiB`, String(node.vcpus)]
    return node.nets.map(({ tap, dev, mac, ipv4 = '-', ipv6 = '-' }, index) => [
      ...(index === 0 ? own : own.map(() => '')),
      ...[dev, tap, mac, ipv4, ipv6],
    ])
  })
  return [
    headline,
    table(['bridge', 'taps', 'host addresses'], bridgeRows),
    '\n',
    table(['node', 'name', 'role', 'memory', 'cpus', 'dev', 'tap', 'mac', 'ipv4', 'ipv6'], nodeRows),
  ].join('')
}
