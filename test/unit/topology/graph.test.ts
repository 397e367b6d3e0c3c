import { describe, expect, test } from 'vitest'
import { planCluster, resolveSettings, type SettingOptions, topologies } from '../../../src/plan/index.ts'
import { graphOf } from '../../../src/topology/graph/model.ts'
import { drawPlan, graphFormats } from '../../../src/topology/index.ts'

const plan = (options: SettingOptions) => planCluster(resolveSettings({ options }))

describe('the picture of a plan', () => {
  test('has its nodes and nets in columns, from cluster nodes to testers', () => {
    const { nodes, nets, links } = graphOf(plan({ topology: 'diamond', nvm: 1 }))
    expect(nodes.map(({ name, column }) => `${name} ${column}`)).toEqual([
      'vm-001 0',
      'vm-201 2',
      'vm-202 6',
      'vm-203 4',
      'vm-204 4',
      'vm-221 8',
    ])
    expect(nets.map(({ net, column, subnet }) => `${net} ${column} ${subnet}`)).toEqual([
      '1 1 192.168.1.0/24',
      '2 7 192.168.2.0/24',
      '3 3 192.168.3.0/24',
      '4 3 192.168.4.0/24',
      '5 5 192.168.5.0/24',
      '6 5 192.168.6.0/24',
    ])
    expect(links).toContainEqual({ node: 201, net: 4, dev: 'eth3' })
  })

  test('has nodes that nothing connects, too', () => {
    const { nodes, nets } = graphOf(plan({ nvm: 1, nrouters: 0, ntesters: 1 }))
    expect([nodes.length, nets.map(({ net }) => net)]).toEqual([2, [1, 2]])
  })

  test.each(topologies.map(({ name }) => name))('of %s names every node, net and interface', topology => {
    const planned = plan({ topology, ntesters: 2, mtu1: 9000 })
    for (const format of graphFormats) {
      const text = drawPlan(planned, format)
      for (const { name, nets } of planned.nodes) {
        expect(text, format).toContain(name)
        for (const { net } of nets.slice(1)) expect(text, format).toMatch(new RegExp(`net ${net}\\b`))
      }
    }
    const svg = drawPlan(planned, 'svg')
    expect(svg).toContain('mtu 9000')
    expect(svg).not.toMatch(/NaN|undefined/)
    const links = planned.nodes.flatMap(({ nets }) => nets.slice(1))
    expect(svg.match(/<line /g)).toHaveLength(links.length)
  })

  test('for draw.io has a shape for each node and net, and links between them', () => {
    const { nodes, nets, links } = graphOf(plan({ topology: 'diamond', nvm: 2 }))
    const cells = [...drawPlan(plan({ topology: 'diamond', nvm: 2 }), 'drawio').matchAll(/<mxCell ([^>]*)>/g)]
    const attributesOf = (text: string) =>
      Object.fromEntries([...text.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]))
    const attributes = cells.map(([, text]) => attributesOf(text!))
    const shapes = new Set(attributes.filter(({ vertex }) => vertex).map(({ id }) => id))
    expect(shapes.size).toBe(nodes.length + nets.length)
    const edges = attributes.filter(({ edge }) => edge)
    expect(edges.length).toBe(links.length)
    for (const { source, target } of edges) expect(shapes.has(source) && shapes.has(target)).toBe(true)
    expect(new Set(attributes.map(({ id }) => id)).size).toBe(attributes.length)
  })

  test('of a running cluster is that of its status', () => {
    const { name, topology, nodes } = plan({ nvm: 1, nrouters: 1 })
    expect(drawPlan({ name, topology, nodes }, 'svg')).toBe(drawPlan(plan({ nvm: 1, nrouters: 1 }), 'svg'))
  })

  test('in the language of Mermaid', () => {
    expect(
      drawPlan(plan({ nvm: 1, nrouters: 1 }), 'mermaid')
        .split('\n')
        .slice(0, 9),
    ).toEqual([
      'flowchart LR',
      '  n1["vm-001"]:::vm',
      '  n201["vm-201"]:::router',
      '  net1(["net 1<br/>192.168.1.0/24"])',
      '  net2(["net 2<br/>192.168.2.0/24"])',
      '  n1 ---|eth1| net1',
      '  n201 ---|eth1| net1',
      '  n201 ---|eth2| net2',
      '  classDef vm fill:#e3f4e3,stroke:#2e7d32',
    ])
  })
})
