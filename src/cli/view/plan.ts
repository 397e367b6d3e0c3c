import type { ClusterPlan } from '../../plan/index.ts'
import { table } from './table.ts'

/** A plan as text. `--json` has the whole plan, with routes and setup. */
export function planText({ name, topology, nodes, bridges, userSpace, mtu }: ClusterPlan): string {
  const memory = nodes.reduce((sum, node) => sum + node.memMiB, 0)
  const headline = `cluster ${name}: ${topology}, ${nodes.length} nodes with ${memory} MiB, mtu ${mtuText(mtu, bridges)}\n`
  const nodeRows = nodes.flatMap(node => {
    const own = [String(node.id), node.name, node.role, `${node.memMiB} MiB`, String(node.vcpus)]
    return node.nets.map(({ tap, dev, mac, ipv4 = '-', ipv6 = '-' }, index) => [
      ...(index === 0 ? own : own.map(() => '')),
      ...[dev, tap, mac, ipv4, ipv6],
    ])
  })
  return [
    headline,
    userSpace ? userSpaceText(userSpace) : bridgesText(bridges),
    '\n',
    table(['node', 'name', 'role', 'memory', 'cpus', 'dev', 'tap', 'mac', 'ipv4', 'ipv6'], nodeRows),
  ].join('')
}

function bridgesText({ bridges, taps }: ClusterPlan['bridges']): string {
  const rows = bridges.map(({ name, net, addresses: own }) => {
    const addresses = own.map(({ address, prefix }) => `${address}/${prefix}`)
    return [name, String(taps.filter(tap => tap.net === net).length), addresses.join(' ') || '-']
  })
  return table(['bridge', 'taps', 'host addresses'], rows)
}

function userSpaceText({ forwards, segments }: NonNullable<ClusterPlan['userSpace']>): string {
  const ways = forwards.map(({ from, node, service, to }) => [
    `127.0.0.1:${from}`,
    `${node}`,
    service,
    `${to}`,
  ])
  const groups = segments.map(({ net, group, port }) => [`${net}`, `${group}:${port}`])
  return [
    table(['port', 'node', 'service', 'its port'], ways),
    '\n',
    table(['net', 'multicast group, on lo'], groups),
  ].join('')
}

function mtuText(mtu: number, { mtus = {} }: ClusterPlan['bridges']): string {
  return [`${mtu}`, ...Object.entries(mtus).map(([net, own]) => `${own} on net ${net}`)].join(', ')
}
