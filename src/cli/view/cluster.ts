import { indentedLines } from '../../base/index.ts'
import type { NodeStatus, Status } from '../../client/index.ts'
import { table } from './table.ts'

/** A cluster as text: a headline, a table of its nodes, and the reasons of failed ones. */
export function clusterTable(status: Status): string {
  const header = ['node', 'name', 'role', 'state', 'boot', 'net', 'dev', 'ipv4', 'ipv6']
  return [headline(status), table(header, status.nodes.flatMap(nodeRows)), ...troubles(status)].join('')
}

/** Why nodes have failed, and what is wrong with others. Guests say some of it. */
export function troubles({ nodes }: Pick<Status, 'nodes'>): string[] {
  return nodes.flatMap(({ name, reason, warning }) =>
    [reason, warning].filter(text => text !== undefined).map(text => `${name}: ${indentedLines(text)}\n`),
  )
}

/** `cluster default: ready in 3.1 s, xnet, 7 nodes, tcg, Linux 6.1.0, namespace /proc/71/fd/20` */
function headline({ name, state, readyMs, topology, nodes, accel, kernel, hosts, ...at }: Status): string {
  const ready = readyMs === undefined ? state : `${state} in ${seconds(readyMs)}`
  const facts = [
    ready,
    topology,
    `${nodes.length} ${nodes.length === 1 ? 'node' : 'nodes'}`,
    hosts && `${hosts.length} hosts${cpusOf(hosts)}`,
    at.encrypted && 'encrypted between hosts',
    accel,
    kernel && `Linux ${kernel}`,
    at.fabric === 'user' && 'in user space',
    at.netns && `namespace ${at.netns}`,
    at.uplink && `uplink ${at.uplink.link} (${changes(at.uplink)})`,
  ]
  return `cluster ${name}: ${facts.filter(Boolean).join(', ')}\n`
}

/** Nothing when all are alike. */
function cpusOf(hosts: NonNullable<Status['hosts']>): string {
  const kinds = [...new Set(hosts.map(({ cpu }) => cpu))]
  const on = (kind: string) => hosts.flatMap(({ host, cpu }) => (cpu === kind ? [host] : [])).join(' ')
  return kinds.length < 2
    ? ''
    : ` with different CPUs (${kinds.map(kind => `${on(kind)}: ${kind}`).join('; ')})`
}

/** What an uplink has changed on the host. */
function changes({ table, sysctls }: NonNullable<Status['uplink']>): string {
  return [`table ${table}`, ...sysctls.map(({ name, before }) => `${name} was ${before}`)].join(', ')
}

/** One row for each net. The first also has the cells of the node itself. */
function nodeRows(node: NodeStatus): string[][] {
  const boot = node.bootMs === undefined ? '' : seconds(node.bootMs)
  const own = [String(node.id), node.name, node.role, node.state, boot]
  const nets = node.nets.map(({ net, dev, ipv4 = '-', ipv6 = '-' }) => [String(net), dev, ipv4, ipv6])
  return nets.map((net, index) => [...(index === 0 ? own : own.map(() => '')), ...net])
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`
}
