import type { Graph } from './model.ts'
import { box, margin, netWidth, type Placed, placed } from './places.ts'
import { colours } from './text.ts'

/**
 * A picture that needs no other program: nodes are boxes in columns, from cluster nodes on the left to testers on the
 * right, with nets between them.
 */
export function svgOf(graph: Graph): string {
  const places = placed(graph)
  const all = [...places.values()]
  const width = Math.max(...all.map(({ x }) => x)) + netWidth / 2 + margin.x
  const height = Math.max(...all.map(({ y }) => y)) + box.height / 2 + margin.x
  const body = [
    `<text x="${margin.x}" y="26" class="title">${graph.title}</text>`,
    ...graph.links.map(link => linkOf(places.get(`n${link.node}`)!, places.get(`net${link.net}`)!, link.dev)),
    ...graph.nets.map(net => netOf(places.get(`net${net.net}`)!, net)),
    ...graph.nodes.map(node => nodeOf(places.get(`n${node.id}`)!, node)),
  ]
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${graph.title}</title>
<style>
  text { font: 13px system-ui, sans-serif; text-anchor: middle; fill: #222 }
  .title { font-size: 15px; font-weight: 600; text-anchor: start }
  .small { font-size: 10px; fill: #555 }
  line { stroke: #9e9e9e; stroke-width: 1.5 }
</style>
<rect width="100%" height="100%" fill="#ffffff"/>
${body.join('\n')}
</svg>
`
}

function linkOf(node: Placed, net: Placed, dev: string): string {
  const [x, y] = [node.x + (net.x - node.x) * 0.42, node.y + (net.y - node.y) * 0.42]
  const line = `<line x1="${node.x}" y1="${node.y}" x2="${net.x}" y2="${net.y}"/>`
  return `${line}\n<text x="${x}" y="${y - 4}" class="small">${dev}</text>`
}

function netOf({ x, y }: Placed, { net, subnet, mtu }: Graph['nets'][number]): string {
  const [left, top] = [x - netWidth / 2, y - box.height / 2]
  const about = [subnet, mtu === undefined || mtu === 1500 ? undefined : `mtu ${mtu}`]
    .filter(Boolean)
    .join(', ')
  return `<rect x="${left}" y="${top}" width="${netWidth}" height="${box.height}" rx="17" fill="#f5f5f5" stroke="#9e9e9e"/>
<text x="${x}" y="${about ? y - 1 : y + 4}">net ${net}</text>${about ? `\n<text x="${x}" y="${y + 11}" class="small">${about}</text>` : ''}`
}

function nodeOf({ x, y }: Placed, { name, role }: Graph['nodes'][number]): string {
  const [fill, edge] = colours[role]
  const [left, top] = [x - box.width / 2, y - box.height / 2]
  return `<rect x="${left}" y="${top}" width="${box.width}" height="${box.height}" rx="6" fill="${fill}" stroke="${edge}" stroke-width="1.5"/>
<text x="${x}" y="${y + 4}">${name}</text>`
}
