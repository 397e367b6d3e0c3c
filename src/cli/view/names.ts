import type { DnsFaults, OwnNames } from '../../api/index.ts'
import { table } from './table.ts'

/** The names that a forwarder answers, a line each. */
export function namesText({ names }: OwnNames): string {
  const rows = names.map(({ name, ttl, type, data, source, nodes = [] }) => [
    ...[name, String(ttl), type],
    ...[nodes.join(',') || '-', source, data],
  ])
  return table(['name', 'ttl', 'type', 'only for', 'from', 'data'], rows)
}

/** The answers that fail, a line each. */
export function faultsText({ faults }: DnsFaults): string {
  const rows = faults.map(({ id, name, fault, type = '-', nodes = [], ...rule }) => {
    const what = rule.delayMs === undefined ? fault : `${fault} ${rule.delayMs} ms`
    const times = rule.times === undefined ? '' : ` of ${rule.times}`
    return [
      ...[String(id), name, type, nodes.join(',') || '-', what],
      ...[String(rule.probability), String(rule.seed), `${rule.failed}${times} (${rule.matched} fitted)`],
    ]
  })
  return table(['id', 'name', 'type', 'only of', 'fault', 'probability', 'seed', 'failed'], rows)
}
