import { z } from 'zod'
import { nodeName } from '../../base/index.ts'
import type { Document } from '../document.ts'
import { badTopology } from '../errors.ts'
import type { TopologyFile } from '../schema.ts'

/** What was read of a topology of another tool. */
export interface Converted {
  readonly file: TopologyFile
  /** By number of ours, the name of a node there. */
  readonly nodes: ReadonlyMap<number, string>
  /** By number of ours, the ends of a link there: `srl1:e1-1`. */
  readonly nets: ReadonlyMap<number, readonly string[]>
  /** What ours has otherwise, or not at all, in words. */
  readonly remarks: readonly string[]
}

const fields = z.looseObject({
  kind: z.string().optional(),
  group: z.string().optional(),
})
type Fields = z.infer<typeof fields>
const byName = z.record(z.string(), fields.nullish()).nullish()

const end = z.union([z.string(), z.looseObject({ node: z.string(), interface: z.string() })])

// The parts of a topology file of containerlab that have a counterpart here (containerlab.dev/manual/topo-def-file/).
const schema = z.looseObject({
  name: z.string().optional(),
  topology: z.looseObject({
    defaults: fields.nullish(),
    kinds: byName,
    groups: byName,
    nodes: z.record(z.string(), fields.nullish()),
    links: z
      .array(
        z.looseObject({
          endpoints: z.array(end).optional(),
          endpoint: end.optional(),
          mtu: z.int().optional(),
        }),
      )
      .nullish(),
  }),
})

interface End {
  readonly node: string
  readonly dev: string
}

interface Link {
  readonly ends: readonly End[]
  readonly mtu: number | undefined
}

const bridgeKinds = ['bridge', 'ovs-bridge']
/** Ends of links that are no nodes. */
const outside = ['host', 'mgmt-net', 'macvlan', 'vxlan', 'vxlan-stitch', 'dummy']
const mostRouters = 20
const mostNodes = 200
const mostNets = 255

/**
 * A containerlab topology as one of ours: each link is a net of two nodes, and a bridge is a net of all that it connects.
 * Nodes that have several links, or are of another kind than `linux`, forward. Throws BAD_TOPOLOGY with the place.
 */
export function fromContainerlab(document: Document): Converted {
  const { data, error } = schema.safeParse(document.value)
  if (!data) {
    const { path, message } = error.issues[0]!
    throw badTopology(document.place(path), message, 'Give a topology file of containerlab')
  }
  return new Conversion(document, data).result()
}

class Conversion {
  readonly #document: Document
  readonly #lab: z.infer<typeof schema>
  readonly #remarks: string[] = []

  constructor(document: Document, lab: z.infer<typeof schema>) {
    this.#document = document
    this.#lab = lab
  }

  result(): Converted {
    const { nodes: all } = this.#lab.topology
    const names = Object.keys(all).filter(name => !this.#isBridge(name))
    const nets = this.#netsOf(this.#links())
    const count = (name: string) => nets.filter(({ ends }) => ends.some(({ node }) => node === name)).length
    const forwards = (name: string) =>
      count(name) > 1 || ![undefined, 'linux'].includes(this.#settings(name).kind)
    const ids = this.#numbered(names, forwards)
    for (const name of Object.keys(all)) this.#tellMissing(name)
    this.#tellRest()
    const file = this.#fileOf({ ids, nets, forwards })
    return {
      file,
      nodes: new Map([...ids].map(([name, id]) => [id, name])),
      nets: new Map(
        nets.map(({ ends }, index) => [index + 1, ends.map(({ node, dev }) => `${node}:${dev}`)]),
      ),
      remarks: this.#remarks,
    }
  }

  #fileOf({ ids, nets, forwards }: Numbered): TopologyFile {
    const own = [...ids].map(([name, id]) => [`${id}`, this.#interfaces(name, nets)] as const)
    const routers = [...ids.values()].filter(id => id > mostNodes).length
    const setup = [...ids].filter(([name]) => forwards(name)).map(([, id]) => [`${id}`, { forwarding: true }])
    const mtus = nets.flatMap(({ mtu }, index) => (mtu === undefined ? [] : [[`mtu${index + 1}`, mtu]]))
    return {
      name: (this.#lab.name ?? 'lab').replace(/[^\w.-]/g, '-').slice(0, 64),
      nodes: ids.size - routers,
      routers,
      testers: 0,
      nets: Object.fromEntries(own),
      setup: Object.fromEntries(setup),
      settings: { hostNets: [0], ...Object.fromEntries(mtus) },
    }
  }

  /** The nets of a node in the order of its interfaces: eth2 before eth10. */
  #interfaces(name: string, nets: readonly Link[]): number[] {
    const own = nets.flatMap(({ ends }, index) =>
      ends.filter(({ node }) => node === name).map(({ dev }) => ({ dev, net: index + 1 })),
    )
    own.sort((a, b) => a.dev.localeCompare(b.dev, 'en', { numeric: true }))
    const moved = own.flatMap(({ dev }, index) =>
      dev === `eth${index + 1}` ? [] : [`${dev} is eth${index + 1} here`],
    )
    if (moved.length > 0) this.#remarks.push(`${name}: ${moved.join(', ')}`)
    return [0, ...new Set(own.map(({ net }) => net))]
  }

  /** Routers get the numbers of routers as far as those go. */
  #numbered(names: readonly string[], forwards: (name: string) => boolean): Map<string, number> {
    const routers = names.filter(forwards)
    const asRouters = routers.length <= mostRouters ? routers : []
    const others = names.filter(name => !asRouters.includes(name))
    if (others.length > mostNodes)
      throw this.#refused(
        ['topology', 'nodes'],
        `it has ${names.length} nodes, and a cluster at most ${mostNodes}`,
      )
    return new Map([
      ...others.map((name, index) => [name, index + 1] as const),
      ...asRouters.map((name, index) => [name, mostNodes + index + 1] as const),
    ])
  }

  /** Links, but those to a bridge, which are one net. */
  #netsOf(links: readonly Link[]): readonly Link[] {
    const bridges = Object.keys(this.#lab.topology.nodes).filter(name => this.#isBridge(name))
    const shared = bridges.map(bridge => {
      const own = links.filter(({ ends }) => ends.some(({ node }) => node === bridge))
      const ends = own.flatMap(link => link.ends.filter(({ node }) => node !== bridge))
      return { ends, mtu: own.find(({ mtu }) => mtu !== undefined)?.mtu }
    })
    const direct = links.filter(({ ends }) => !ends.some(({ node }) => bridges.includes(node)))
    const nets = [...direct, ...shared.filter(({ ends }) => ends.length > 0)]
    if (nets.length > mostNets)
      throw this.#refused(
        ['topology', 'links'],
        `it has ${nets.length} links, and a cluster at most ${mostNets} nets`,
      )
    return nets
  }

  #links(): Link[] {
    return (this.#lab.topology.links ?? []).flatMap(({ endpoints, endpoint, mtu }, index) => {
      const ends = (endpoints ?? (endpoint === undefined ? [] : [endpoint])).map(each =>
        this.#endOf(each, index),
      )
      const away = ends.find(({ node }) => !this.#lab.topology.nodes[node] && outside.includes(node))
      if (away === undefined && ends.length === 2) {
        for (const { node } of ends)
          if (!Object.hasOwn(this.#lab.topology.nodes, node))
            throw this.#refused(['topology', 'links', index], `there is no node '${node}'`)
        return [{ ends, mtu }]
      }
      this.#remarks.push(
        `the link ${ends.map(({ node, dev }) => `${node}:${dev}`).join(' to ')}: it leaves the lab`,
      )
      return []
    })
  }

  #endOf(written: z.infer<typeof end>, link: number): End {
    if (typeof written !== 'string') return { node: written.node, dev: written.interface }
    const [, node, dev] = /^([^:]+):(.+)$/.exec(written) ?? []
    if (node === undefined || dev === undefined)
      throw this.#refused(['topology', 'links', link], `'${written}' is not NODE:INTERFACE`)
    return { node, dev }
  }

  #isBridge(name: string): boolean {
    return bridgeKinds.includes(this.#settings(name).kind ?? '')
  }

  /** A node with what its group, its kind and the defaults give it, in this order. */
  #settings(name: string): Fields {
    const { defaults, kinds, groups, nodes } = this.#lab.topology
    const own = nodes[name] ?? {}
    const group = groups?.[own.group ?? ''] ?? {}
    const kind = own.kind ?? group.kind ?? defaults?.kind
    return { ...defaults, ...kinds?.[kind ?? ''], ...group, ...own, ...(kind !== undefined && { kind }) }
  }

  /** What a guest here is not given. */
  #tellMissing(name: string): void {
    const parts = [
      'image',
      'startup-config',
      'exec',
      'binds',
      'env',
      'ports',
      'cmd',
      'mgmt-ipv4',
      'mgmt-ipv6',
    ]
    const settings = this.#settings(name)
    const had = parts.filter(part => settings[part] !== undefined)
    if (had.length > 0) this.#remarks.push(`${name}: without its ${had.join(', ')}`)
  }

  #tellRest(): void {
    if (this.#lab.mgmt !== undefined) this.#remarks.push('mgmt: the management net is net 0, 192.168.0.0/24')
  }

  #refused(path: readonly PropertyKey[], reason: string) {
    return badTopology(this.#document.place(path), reason)
  }
}

interface Numbered {
  readonly ids: ReadonlyMap<string, number>
  readonly nets: readonly Link[]
  readonly forwards: (name: string) => boolean
}

/** One comment for each node and net: what it was called. */
export function legendOf({ nodes, nets }: Converted): string[] {
  return [
    ...[...nodes].map(([id, name]) => `${nodeName(id)}: ${name}`),
    ...[...nets].map(([net, ends]) => `net ${net}: ${ends.join(' – ')}`),
  ]
}
