import { defaultVia, type RouteRule, routeTo, type Topology } from '../../src/plan/index.ts'
import { randomOf } from './random.ts'

interface Edge {
  readonly net: number
  readonly ends: readonly [number, number]
}

/**
 * A connected topology by a seed: nodes on net 1, a tester on net 2, and 2 to 6 routers between them with a net for each of
 * their links. Each router has all shortest ways to nets 1 and 2, so several next hops where there are some.
 */
export function randomTopology(seed: number): Topology {
  const random = randomOf(seed + 1)
  const upTo = (most: number) => random() % most
  const routers = Array.from({ length: 2 + upTo(5) }, (_, index) => 201 + index)
  const edges: Edge[] = []
  const join = (a: number, b: number) => {
    if (a !== b && !edges.some(({ ends }) => ends.includes(a) && ends.includes(b)))
      edges.push({ net: 3 + edges.length, ends: [a, b] })
  }
  for (const [index, id] of routers.entries()) if (index > 0) join(id, routers[upTo(index)]!)
  for (let more = upTo(routers.length + 1); more > 0; more--)
    join(routers[upTo(routers.length)]!, routers[upTo(routers.length)]!)
  const edge = { 1: routers[upTo(routers.length)]!, 2: routers[upTo(routers.length)]! }
  const netsOf = (id: number) => [
    0,
    ...([1, 2] as const).filter(net => edge[net] === id),
    ...edges.filter(({ ends }) => ends.includes(id)).map(({ net }) => net),
  ]
  const routesOf = (id: number) =>
    ([1, 2] as const).flatMap(net =>
      edge[net] === id ? [] : [shortest(edges, { from: id, to: edge[net], net })],
    )
  return {
    name: `random-${seed}`,
    doc: '',
    routers: { usual: routers.length, atLeast: routers.length },
    testers: { usual: 1 },
    nets: [
      { of: 'vm', nets: [0, 1] },
      { of: 'router', nets: [0] },
      { of: 'tester', nets: [0, 2] },
      ...routers.map(id => ({ of: id, nets: netsOf(id) })),
    ],
    setup: [
      { of: 'vm', routes: [defaultVia([1, edge[1]])] },
      { of: 'tester', routes: [defaultVia([2, edge[2]])] },
      ...routers.map(id => ({ of: id, forwarding: true, routes: routesOf(id) })),
    ],
  }
}

/** The route to a net over all neighbours that are one step nearer to its router. */
function shortest(
  edges: readonly Edge[],
  { from, to, net }: { readonly from: number; readonly to: number; readonly net: number },
): RouteRule {
  const distance = new Map([[to, 0]])
  for (const [id, steps] of distance)
    for (const { ends } of edges)
      if (ends.includes(id)) {
        const other = ends[0] === id ? ends[1] : ends[0]
        if (!distance.has(other)) distance.set(other, steps + 1)
      }
  const hops = edges.flatMap(({ net: over, ends }) => {
    const other = ends[0] === from ? ends[1] : ends[0]
    const isNearer = ends.includes(from) && distance.get(other)! < distance.get(from)!
    return isNearer ? [[over, other] as const] : []
  })
  return routeTo(net, ...hops)
}
