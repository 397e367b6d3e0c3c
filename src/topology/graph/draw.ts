import { drawioOf } from './drawio.ts'
import { type Drawn, graphOf } from './model.ts'
import { svgOf } from './svg.ts'
import { dotOf, mermaidOf } from './text.ts'

const formats = { svg: svgOf, mermaid: mermaidOf, dot: dotOf, drawio: drawioOf } as const

export type GraphFormat = keyof typeof formats
export const graphFormats = Object.keys(formats) as GraphFormat[]

/** A picture of a plan or of a running cluster: SVG, for draw.io, or the language of Mermaid or Graphviz. */
export function drawPlan(drawn: Drawn, format: GraphFormat): string {
  return formats[format](graphOf(drawn))
}
