import type { Graph } from './model.ts'
import { box, netWidth, type Placed, placed } from './places.ts'
import { colours } from './text.ts'

/** A diagram for draw.io, to be edited on: its XML without compression (drawio.com/doc/faq/save-file-formats). */
export function drawioOf(graph: Graph): string {
  const places = placed(graph)
  const nodes = graph.nodes.map(({ id, name, role }) => {
    const [fill, edge] = colours[role]
    const style = `rounded=1;fillColor=${fill};strokeColor=${edge};`
    return shapeOf({ key: `n${id}`, text: name, style, width: box.width }, places)
  })
  const nets = graph.nets.map(({ net, subnet }) => {
    const text = [`net ${net}`, subnet].filter(Boolean).join('&lt;br&gt;')
    const style = 'rounded=1;arcSize=50;html=1;fontSize=11;fillColor=#f5f5f5;strokeColor=#9e9e9e;'
    return shapeOf({ key: `net${net}`, text, style, width: netWidth }, places)
  })
  const links = graph.links.map(
    ({ node, net, dev }) =>
      `<mxCell id="n${node}-net${net}" value="${dev}" style="endArrow=none;" edge="1" parent="1" source="n${node}" ` +
      `target="net${net}"><mxGeometry relative="1" as="geometry"/></mxCell>`,
  )
  return `<mxfile><diagram name="${graph.title}"><mxGraphModel><root>
<mxCell id="0"/>
<mxCell id="1" parent="0"/>
${[...nodes, ...nets, ...links].join('\n')}
</root></mxGraphModel></diagram></mxfile>
`
}

interface Shape {
  readonly key: string
  readonly text: string
  readonly style: string
  readonly width: number
}

function shapeOf({ key, text, style, width }: Shape, places: ReadonlyMap<string, Placed>): string {
  const { x, y } = places.get(key)!
  const geometry = `x="${x - width / 2}" y="${y - box.height / 2}" width="${width}" height="${box.height}"`
  return (
    `<mxCell id="${key}" value="${text}" style="${style}" vertex="1" parent="1">` +
    `<mxGeometry ${geometry} as="geometry"/></mxCell>`
  )
}
