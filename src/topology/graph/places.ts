import type { Graph } from './model.ts'

const step = { x: 150, y: 62 }
export const margin = { x: 24, y: 56 }
export const box = { width: 92, height: 34 }
export const netWidth = 118

/** The centre of a shape. */
export interface Placed {
  readonly x: number
  readonly y: number
}

/** Columns beside each other; what is in one is in the order of what it is linked to on its left, and centred. */
export function placed({ nodes, nets, links }: Graph): Map<string, Placed> {
  const all = [
    ...nodes.map(({ id, column }) => ({ key: `n${id}`, column })),
    ...nets.map(({ net, column }) => ({ key: `net${net}`, column })),
  ]
  const beside = (key: string) =>
    links.flatMap(({ node, net }) =>
      key === `n${node}` ? [`net${net}`] : key === `net${net}` ? [`n${node}`] : [],
    )
  const numbers = [...new Set(all.map(({ column }) => column))].sort((a, b) => a - b)
  const columns = numbers.map(number => all.filter(({ column }) => column === number))
  const tallest = Math.max(...columns.map(column => column.length))
  const places = new Map<string, Placed>()
  for (const [column, entries] of columns.entries()) {
    const height = (key: string) => mean(beside(key).flatMap(other => places.get(other)?.y ?? []))
    const ordered = entries
      .map(({ key }, index) => ({ key, y: height(key) ?? index }))
      .sort((a, b) => a.y - b.y)
    const top = margin.y + ((tallest - entries.length) * step.y) / 2 + box.height / 2
    for (const [index, { key }] of ordered.entries())
      places.set(key, { x: margin.x + netWidth / 2 + column * step.x, y: top + index * step.y })
  }
  return places
}

function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length
}
