import type { NodePlan } from '../../plan/index.ts'

/** What a picture shows: nodes, the nets between them, and the links from one to the other. */
export interface Graph {
  readonly title: string
  readonly nodes: readonly GraphNode[]
  readonly nets: readonly GraphNet[]
  readonly links: readonly GraphLink[]
}

export interface GraphNode {
  readonly id: number
  readonly name: string
  readonly role: NodePlan['role']
  /** Its distance from the nodes of the first net, in nodes and nets. */
  readonly column: number
}

export interface GraphNet {
  readonly net: number
  /** `192.168.1.0/24`. Absent when no node has an address on it. */
  readonly subnet?: string
  /** Absent when it is not known. */
  readonly mtu?: number
  readonly column: number
}

export interface GraphLink {
  readonly node: number
  readonly net: number
  readonly dev: string
}

/** What can be drawn: a plan, or the status of a running cluster. */
export interface Drawn {
  readonly name: string
  readonly topology: string
  readonly mtu?: number
  readonly bridges?: { readonly mtus?: Readonly<Record<number, number>> }
  readonly nodes: readonly (Pick<GraphNode, 'id' | 'name' | 'role'> & {
    readonly nets: readonly { readonly net: number; readonly dev: string; readonly ipv4?: string }[]
  })[]
}

/** Net 0 is on every node, and is left out. */
export function graphOf(plan: Drawn): Graph {
  const links = plan.nodes.flatMap(({ id, nets }) =>
    nets.filter(({ net }) => net !== 0).map(({ net, dev }) => ({ node: id, net, dev })),
  )
  const columns = new Columns(plan, links)
  const used = [...new Set(links.map(({ net }) => net))].sort((a, b) => a - b)
  return {
    title: `${plan.name}: ${plan.topology}`,
    nodes: plan.nodes.map(({ id, name, role }) => ({ id, name, role, column: columns.ofNode(id) })),
    nets: used.map(net => {
      const ipv4 = plan.nodes.flatMap(({ nets }) => nets.filter(each => each.net === net && each.ipv4))[0]
        ?.ipv4
      const mtu = plan.bridges?.mtus?.[net] ?? plan.mtu
      return {
        net,
        ...(mtu !== undefined && { mtu }),
        column: columns.ofNet(net),
        ...(ipv4 && { subnet: ipv4.replace(/\d+$/, '0/24') }),
      }
    }),
    links,
  }
}

/** Each step from a node to a net, or back, is one column to the right. Cluster nodes are on the left. */
class Columns {
  readonly #nodes = new Map<number, number>()
  readonly #nets = new Map<number, number>()
  readonly #links: readonly GraphLink[]

  constructor({ nodes }: Drawn, links: readonly GraphLink[]) {
    this.#links = links
    const onLeft = nodes.filter(({ role }) => role === 'vm')
    for (const { id } of onLeft.length > 0 ? onLeft : nodes.slice(0, 1)) this.#nodes.set(id, 0)
    this.#spread()
    for (const { id } of nodes) {
      if (this.#nodes.has(id)) continue
      this.#nodes.set(id, 0) // on no net with any of those
      this.#spread()
    }
  }

  ofNode = (id: number): number => this.#nodes.get(id)!
  ofNet = (net: number): number => this.#nets.get(net)!

  #spread(): void {
    for (let column = 0; this.#step(column); column++);
  }

  /** Puts what is next to a column into the one after it. False: there is no column after it. */
  #step(column: number): boolean {
    for (const { node, net } of this.#links) {
      if (this.#nodes.get(node) === column && !this.#nets.has(net)) this.#nets.set(net, column + 1)
      if (this.#nets.get(net) === column && !this.#nodes.has(node)) this.#nodes.set(node, column + 1)
    }
    return [...this.#nodes.values(), ...this.#nets.values()].some(each => each > column)
  }
}
