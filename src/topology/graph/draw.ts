import type { ClusterPlan } from '../../plan/index.ts'
import { graphOf } from './model.ts'
import { svgOf } from './svg.ts'
import { dotOf, mermaidOf } from './text.ts'

const formats = { svg: svgOf, mermaid: mermaidOf, dot: dotOf } as const

export type GraphFormat = keyof typeof formats
export const graphFormats = Object.keys(formats) as GraphFormat[]

/** A picture of a plan: SVG, or the language of Mermaid or Graphviz. */
export function drawPlan(plan: ClusterPlan, format: GraphFormat): string {
  return formats[format](graphOf(plan))
}
