import type { Graph } from './model.ts'

/** The fill and the edge of a node, by role: the colours of the original's terminals, lighter. */
export const colours = {
  vm: ['#e3f4e3', '#2e7d32'],
  router: ['#fbe4e4', '#c62828'],
  tester: ['#e4e8fb', '#283593'],
} as const

/** Mermaid's language (mermaid.js.org/syntax/flowchart.html): GitHub draws it in Markdown. */
export function mermaidOf({ nodes, nets, links }: Graph): string {
  return [
    'flowchart LR',
    ...nodes.map(({ id, name, role }) => `  n${id}["${name}"]:::${role}`),
    ...nets.map(({ net, subnet }) => `  net${net}(["net ${net}${subnet ? `<br/>${subnet}` : ''}"])`),
    ...links.map(({ node, net, dev }) => `  n${node} ---|${dev}| net${net}`),
    ...Object.entries(colours).map(
      ([role, [fill, edge]]) => `  classDef ${role} fill:${fill},stroke:${edge}`,
    ),
    '',
  ].join('\n')
}

/** Graphviz's language (graphviz.org/doc/info/lang.html). */
export function dotOf({ title, nodes, nets, links }: Graph): string {
  const node = ({ id, name, role }: Graph['nodes'][number]) => {
    const [fill, edge] = colours[role]
    return `  n${id} [label="${name}", shape=box, style="rounded,filled", fillcolor="${fill}", color="${edge}"]`
  }
  return [
    `graph "${title}" {`,
    '  rankdir=LR',
    ...nodes.map(node),
    ...nets.map(
      ({ net, subnet }) => `  net${net} [label="net ${net}${subnet ? `\\n${subnet}` : ''}", shape=plain]`,
    ),
    ...links.map(({ node: id, net, dev }) => `  n${id} -- net${net} [label="${dev}"]`),
    '}',
    '',
  ].join('\n')
}
