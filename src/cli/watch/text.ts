import { table } from '../view/table.ts'
import type { NodeReading, Reading } from './reading.ts'

/** A reading as text: a headline, the nets and the nodes. */
export function readingText(reading: Reading): string {
  const { header, rows } = nodeCells(reading)
  return [`${headline(reading)}\n`, netTable(reading), '\n', table(header, rows)].join('')
}

/** `words: ready, xnet, 3 nodes, load 1.20 0.80 0.60, DNS 12 queries/s (80 % answered here)` */
export function headline({ name, state, topology, nodes, load, dns }: Reading): string {
  const share = dns && dns.queriesPerSecond > 0 ? dns.answeredHerePerSecond / dns.queriesPerSecond : 0
  const facts = [
    `${name}: ${state}`,
    topology,
    `${nodes.length} ${nodes.length === 1 ? 'node' : 'nodes'}`,
    load && `load ${load.map(each => each.toFixed(2)).join(' ')}`,
    dns && `DNS ${dns.queriesPerSecond}/s${share > 0 ? ` (${Math.round(share * 100)} % answered here)` : ''}`,
  ]
  return facts.filter(Boolean).join(', ')
}

export function netTable({ nets }: Reading): string {
  if (nets.length === 0) return ''
  const rows = nets.map(({ net, framesPerSecond, bitsPerSecond }) => [
    String(net),
    short(framesPerSecond).padStart(8),
    short(bitsPerSecond).padStart(6),
  ])
  return table(['net', 'frames/s', 'bits/s'], rows)
}

/** A row for each node. The columns of nets have what the node sends and receives there. */
export function nodeCells({ nets, nodes }: Reading): { header: string[]; rows: string[][] } {
  const header = [
    'node',
    'name',
    'role',
    'state',
    '   cpu',
    ...nets.map(({ net }) => `net ${net} sent, received`),
  ]
  const rows = nodes.map(node => [
    String(node.id),
    node.name,
    node.role,
    node.state,
    (node.cpuPercent === undefined ? '-' : `${node.cpuPercent} %`).padStart(6),
    ...nets.map(({ net }) => trafficText(node, net)),
  ])
  return { header, rows }
}

function trafficText({ nets }: NodeReading, net: number): string {
  const own = nets.find(each => each.net === net)
  if (!own) return ''
  const received = own.receivedBitsPerSecond === undefined ? '-' : short(own.receivedBitsPerSecond)
  return `${short(own.sentBitsPerSecond).padStart(10)}${received.padStart(10)}`
}

/** `0`, `999`, `1.2k`, `34M`. */
export function short(value: number): string {
  const units = ['', 'k', 'M', 'G', 'T']
  let [left, unit] = [value, 0]
  while (left >= 999.5 && unit < units.length - 1) [left, unit] = [left / 1000, unit + 1]
  return `${unit > 0 && left < 9.95 ? left.toFixed(1) : Math.round(left)}${units[unit]}`
}
