import { split } from 'shlex'
import { z } from 'zod'
import { messageOf, nodeName, printable } from '../../base/index.ts'
import { settings } from '../../plan/index.ts'
import { type Document, parseYaml } from '../document.ts'
import { badTopology } from '../errors.ts'
import { problemOf } from '../problem.ts'
import type { TopologyFile } from '../schema.ts'
import type { GivenNode } from './guest-files.ts'
import { fieldsOf, type NodeFields, nodeParts, numeric, orNothing } from './node-fields.ts'

/** What was read of a topology of another tool. */
export interface Converted {
  readonly file: TopologyFile
  /** By number of ours, the name of a node there. */
  readonly nodes: ReadonlyMap<number, string>
  /** By number of ours, the ends of a link there: `srl1:e1-1`. */
  readonly nets: ReadonlyMap<number, readonly string[]>
  /** What guests get by an overlay. */
  readonly given: readonly GivenNode[]
  /** What ours has otherwise, or not at all, in words. */
  readonly remarks: readonly string[]
}

const end = z.union([z.string(), z.looseObject({ node: z.string(), interface: z.string() })])

// The parts of a topology file of containerlab that have a counterpart here (containerlab.dev/manual/topo-def-file/).
const link = z.looseObject({
  type: orNothing(z.string()),
  endpoints: orNothing(z.array(end)),
  endpoint: orNothing(end),
  mtu: orNothing(numeric),
})
const schema = z.looseObject({
  name: orNothing(z.string()),
  topology: z.looseObject({ ...nodeParts, links: orNothing(z.array(link)) }),
})
const linkKeys = ['type', 'endpoints', 'endpoint', 'mtu']
const endKeys = ['node', 'interface']

interface End {
  readonly node: string
  readonly dev: string
}

interface Link {
  readonly ends: readonly End[]
  readonly mtu: number | undefined
}

const bridgeKinds = ['bridge', 'ovs-bridge']
const hostKind = 'host'
const forwardingKeys = ['net.ipv4.ip_forward', 'net.ipv4.conf.all.forwarding', 'net.ipv6.conf.all.forwarding']
/** Ends of links that are no nodes here. */
const outside = ['host', 'mgmt-net', 'macvlan', 'vxlan', 'vxlan-stitch', 'dummy']
const mostRouters = 20
const mostNodes = 200
const mostNets = 255
/** Those of IPv6 (RFC 8200 §5), and of a device. */
const [leastMtu, mostMtu] = [1280, 65_521]

/**
 * A containerlab topology as one of ours: each link is a net of two nodes, and a bridge is a net of all that it connects.
 * Nodes that have several links, or are of another kind than `linux`, forward. `path` is what the file is called. Throws
 * BAD_TOPOLOGY with the place.
 */
export function fromContainerlab(path: string, text: string): Converted {
  const document = parseYaml(path, text, { asText: true })
  const { data, error } = schema.safeParse(document.value)
  if (!data) {
    const { path, reason } = problemOf(error.issues[0]!)
    throw badTopology(document.place(path), reason, 'Give a topology file of containerlab')
  }
  const converted = new Conversion(document, data).result()
  if (!text.includes('${')) return converted
  const variables = 'variables of your shell, such as $NAME, stand for themselves here'
  return { ...converted, remarks: [...converted.remarks, variables] }
}

class Conversion {
  readonly #document: Document
  readonly #lab: z.infer<typeof schema>
  readonly #remarks: string[] = []
  readonly #taken = new Set<string>()

  constructor(document: Document, lab: z.infer<typeof schema>) {
    this.#document = document
    this.#lab = lab
  }

  result(): Converted {
    const { nodes: all } = this.#lab.topology
    const names = Object.keys(all).filter(name => !this.#isBridge(name) && !this.#isHost(name))
    const nets = this.#netsOf(this.#links())
    const count = (name: string) => nets.filter(({ ends }) => ends.some(({ node }) => node === name)).length
    const forwards = (name: string) => {
      const { kind, sysctls } = this.#fields(name)
      const said = forwardingKeys.flatMap(key => sysctls.get(key) ?? [])
      return said.length > 0 ? said.includes('1') : count(name) > 1 || ![undefined, 'linux'].includes(kind)
    }
    const ids = this.#numbered(names, forwards)
    const devs = new Map(names.map(name => [name, this.#interfaces(name, nets)]))
    for (const name of Object.keys(all)) this.#tellMissing(name)
    if (this.#lab.mgmt !== undefined) this.#remarks.push('mgmt: the management net is net 0, 192.168.0.0/24')
    return {
      file: this.#fileOf({ ids, nets, devs, forwards }),
      nodes: new Map([...ids].map(([name, id]) => [id, name])),
      nets: new Map(
        nets.map(({ ends }, index) => [index + 1, ends.map(({ node, dev }) => `${node}:${dev}`)]),
      ),
      given: [...ids].map(([name, id]) => this.#givenTo(name, id, devs.get(name)!)),
      remarks: this.#remarks,
    }
  }

  #fileOf({ ids, nets, devs, forwards }: Numbered): TopologyFile {
    const netsOf = (name: string) => [0, ...devs.get(name)!.map(({ net }) => net)]
    const routers = [...ids.values()].filter(id => id > mostNodes).length
    const setup = [...ids].filter(([name]) => forwards(name)).map(([, id]) => [`${id}`, { forwarding: true }])
    const mtus = nets.flatMap(({ mtu }, index) => (mtu === undefined ? [] : [[`mtu${index + 1}`, mtu]]))
    const sizes = [...ids].flatMap(([name, id]) => {
      const { memory, cpu } = this.#fields(name)
      return [
        ...(memory !== undefined && memory > settings.mem.default ? [[`mem${id}`, memory]] : []),
        ...(cpu !== undefined ? [[`smp${id}`, Math.max(1, Math.ceil(cpu))]] : []),
      ]
    })
    return {
      name: (this.#lab.name ?? 'lab').replace(/[^\w.-]/g, '-').slice(0, 64),
      nodes: ids.size - routers,
      routers,
      testers: 0,
      nets: Object.fromEntries([...ids].map(([name, id]) => [`${id}`, netsOf(name)])),
      setup: Object.fromEntries(setup),
      settings: { hostNets: [0], ...Object.fromEntries([...mtus, ...sizes]) },
    }
  }

  /** The interfaces of a node in the order of their names there: eth2 before eth10. The first is eth1 here. */
  #interfaces(name: string, nets: readonly Link[]): Interface[] {
    const all = nets.flatMap(({ ends }, index) =>
      ends.filter(({ node }) => node === name).map(({ dev }) => ({ dev, net: index + 1 })),
    )
    all.sort((a, b) => a.dev.localeCompare(b.dev, 'en', { numeric: true }))
    const isFirst = ({ net }: Interface, index: number) => all.findIndex(each => each.net === net) === index
    const own = all.filter(isFirst)
    const moved = own.flatMap(({ dev }, index) =>
      dev === devOf(index) ? [] : `${dev} is ${devOf(index)} here`,
    )
    if (moved.length > 0) this.#remarks.push(`${name}: ${moved.join(', ')}`)
    for (const each of all)
      if (!own.includes(each))
        this.#remarks.push(`${name}: without its ${each.dev}: a node has one interface on a net`)
    return own
  }

  #givenTo(name: string, id: number, devs: readonly Interface[]): GivenNode {
    const { exec, binds, env, sysctls } = this.#fields(name)
    const renamed = new Map(devs.map(({ dev }, index) => [dev, devOf(index)]))
    const commands = exec.map(({ text, path }) => {
      try {
        return split(text).map(word => renamedIn(word, renamed))
      } catch (failure) {
        throw this.#refused(path, `'${text}' is not a command: ${messageOf(failure)}`)
      }
    })
    const others = [...sysctls].filter(([key]) => !forwardingKeys.includes(key))
    const own = others.map(([key, value]) => [renamedIn(key, renamed), value] as const)
    return { name, id, binds, env, sysctls: new Map(own), commands }
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
    const shared = joined(bridges, links).map(bridges => {
      const own = links.filter(({ ends }) => ends.some(({ node }) => bridges.includes(node)))
      const ends = own.flatMap(link => link.ends.filter(({ node }) => !bridges.includes(node)))
      const [mtu, ...others] = new Set(own.flatMap(({ mtu }) => mtu ?? []))
      if (others.length > 0)
        this.#remarks.push(`${bridges.join(', ')}: the MTU of all links is ${mtu}, not ${others.join(', ')}`)
      return { ends, mtu }
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
    return (this.#lab.topology.links ?? []).flatMap((link, index) => {
      const { endpoints, endpoint, mtu } = link
      const written = endpoints ?? (endpoint === undefined ? [] : [endpoint])
      const ends = written.map(each => this.#endOf(each, index))
      const path = ['topology', 'links', index]
      const away = ends.find(({ node }) => this.#isOutside(node))
      if (away === undefined && endpoint === undefined) {
        if (ends.length !== 2) throw this.#refused(path, 'a link has two endpoints')
        for (const each of ends) this.#take(each, path)
        if (mtu !== undefined && !(mtu >= leastMtu && mtu <= mostMtu))
          throw this.#refused([...path, 'mtu'], `an MTU here is from ${leastMtu} to ${mostMtu}`)
        const left = [...othersOf(link, linkKeys), ...written.flatMap(each => othersOf(each, endKeys))]
        if (link.type !== undefined && link.type !== 'veth') left.unshift(`type ${link.type}`)
        if (left.length > 0) this.#remarks.push(`${called(ends)}: without its ${left.join(', ')}`)
        return [{ ends, mtu }]
      }
      this.#remarks.push(`${called(ends)}: it leaves the lab`)
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

  /** An interface is the end of one link. */
  #take({ node, dev }: End, path: readonly PropertyKey[]): void {
    if (!Object.hasOwn(this.#lab.topology.nodes, node))
      throw this.#refused(path, `there is no node '${node}'`)
    const name = `${node}:${dev}`
    if (this.#taken.has(name)) throw this.#refused(path, `another link ends at ${name}, too`)
    this.#taken.add(name)
  }

  #isOutside(name: string): boolean {
    return Object.hasOwn(this.#lab.topology.nodes, name) ? this.#isHost(name) : outside.includes(name)
  }

  #isBridge(name: string): boolean {
    return bridgeKinds.includes(this.#fields(name).kind ?? '')
  }

  /** A node that stands for the machine that the lab runs on. */
  #isHost(name: string): boolean {
    return this.#fields(name).kind === hostKind
  }

  #fields(name: string): NodeFields {
    return fieldsOf(this.#lab.topology, name)
  }

  /** What a guest here is not given. */
  #tellMissing(name: string): void {
    const { others } = this.#fields(name)
    if (this.#isHost(name)) this.#remarks.push(`${name}: it is the machine itself`)
    else if (others.length > 0) this.#remarks.push(`${name}: without its ${others.join(', ')}`)
  }

  #refused(path: readonly PropertyKey[], reason: string) {
    return badTopology(this.#document.place(path), reason)
  }
}

interface Interface {
  readonly dev: string
  readonly net: number
}

interface Numbered {
  readonly ids: ReadonlyMap<string, number>
  readonly nets: readonly Link[]
  readonly devs: ReadonlyMap<string, readonly Interface[]>
  readonly forwards: (name: string) => boolean
}

const called = (ends: readonly End[]) =>
  `the link ${ends.map(({ node, dev }) => `${node}:${dev}`).join(' to ')}`

/** Keys beside these. */
const othersOf = (value: object | string, keys: readonly string[]) =>
  typeof value === 'string' ? [] : Object.keys(value).filter(key => !keys.includes(key))

/** Bridges that are one net, because links join them. */
function joined(bridges: readonly string[], links: readonly Link[]): string[][] {
  const groups = new Map(bridges.map(bridge => [bridge, [bridge]]))
  for (const { ends } of links) {
    const [one, other] = ends.map(({ node }) => groups.get(node))
    if (!one || !other || one === other) continue
    one.push(...other)
    for (const bridge of other) groups.set(bridge, one)
  }
  return [...new Set(groups.values())]
}

const devOf = (index: number) => `eth${index + 1}`

/** With the names that interfaces have here, wherever such a name stands by itself. */
function renamedIn(word: string, names: ReadonlyMap<string, string>): string {
  const anyOf = Array.from(names.keys(), name => name.replace(/[^\w]/g, '\\$&')).join('|')
  return word.replace(new RegExp(`(?<![\\w-])(${anyOf})(?![\\w-])`, 'g'), name => names.get(name) ?? name)
}

/** One comment for each node and net: what it was called. */
export function legendOf({ nodes, nets }: Pick<Converted, 'nodes' | 'nets'>): string[] {
  return [
    ...[...nodes].map(([id, name]) => `${nodeName(id)}: ${name}`),
    ...[...nets].map(([net, ends]) => `net ${net}: ${ends.join(' – ')}`),
  ].map(line => printable(line))
}
