import { hostId } from '../base/index.ts'
import {
  type AddressRule,
  effective,
  type HopRule,
  type LinkRule,
  type NodeSet,
  type RouteRule,
  type SetupRule,
  type Topology,
} from '../plan/index.ts'
import type { FileHop, FileImpairment, FileLink, FileSetup, TopologyFile } from './schema.ts'

// The two forms of a topology: that of a file, with sets of nodes as keys, and that of the plan, with lists.

/** The plan's form. The smaller the set, the later its nets, and the earlier its setup and links: they then win. */
export function topologyOfFile(file: TopologyFile): Topology {
  const nets = Object.entries({ vm: [0], router: [0], tester: [0], ...file.nets })
  const ordered = nets
    .map(([key, list]) => ({ of: setOf(key), nets: list }))
    .sort((a, b) => size(b.of) - size(a.of))
  const setup = Object.entries(file.setup ?? {}).map(([key, rule]) => ruleOf(setOf(key), rule))
  const links = Object.entries(file.links ?? {}).flatMap(([key, nets]) => linkRules(setOf(key), nets))
  return {
    name: file.name,
    doc: file.doc ?? '',
    routers: countOf(file.routers),
    testers: countOf(file.testers),
    ...(file.more && { more: file.more }),
    nets: ordered,
    setup: setup.sort((a, b) => size(a.of) - size(b.of)),
    ...(links.length > 0 && { links: links.sort((a, b) => size(a.of) - size(b.of)) }),
    ...(file.host && { hosts: hostsOf(file.host) }),
  }
}

/** The smaller the set, the later: it then wins. */
function hostsOf(host: NonNullable<TopologyFile['host']>): NonNullable<Topology['hosts']> {
  const entries = Object.entries(host).map(([key, rank]) => ({ of: setOf(key), host: rank }))
  return entries.sort((a, b) => size(b.of) - size(a.of))
}

/** The form of a file, of which {@link topologyOfFile} makes the same topology. */
export function fileOfTopology(topology: Topology): TopologyFile {
  const { name, doc, routers, testers, more, nets, setup, links, hosts } = topology
  return {
    name,
    ...(doc && { doc }),
    routers: shortCount(routers),
    testers: shortCount(testers),
    ...(more && { more: [...more] }),
    nets: Object.fromEntries(nets.map(({ of, nets: list }) => [keyOf(of), [...list]])),
    setup: Object.fromEntries(setup.map(rule => [keyOf(rule.of), fileRule(rule)])),
    ...(links && { links: fileLinks(links) }),
    ...(hosts && { host: Object.fromEntries(hosts.map(({ of, host }) => [keyOf(of), host])) }),
  }
}

/** `vm`, `201`, `10-19`. */
export function setOf(key: string): NodeSet {
  const [, first, last] = /^(\d+)(?:-(\d+))?$/.exec(key) ?? []
  if (first === undefined) return key as NodeSet
  return last === undefined ? Number(first) : [Number(first), Number(last)]
}

export function keyOf(set: NodeSet): string {
  return typeof set === 'object' ? `${set[0]}-${set[1]}` : `${set}`
}

/** How many nodes a set can have. */
function size(set: NodeSet): number {
  if (typeof set === 'number') return 1
  return typeof set === 'string' ? 1000 : set[1] - set[0] + 1
}

function countOf(count: TopologyFile['routers']): Topology['routers'] {
  if (typeof count !== 'object') return { usual: count ?? 0 }
  const { usual, atLeast } = count
  return { usual, ...(atLeast !== undefined && { atLeast }) }
}

function shortCount({ usual, atLeast }: Topology['routers']): TopologyFile['routers'] {
  return atLeast === undefined ? usual : { usual, atLeast }
}

function ruleOf(of: NodeSet, { routes, rules, addresses, ...rest }: FileSetup): SetupRule {
  return {
    of,
    ...withoutAbsent(rest),
    ...(routes && { routes: routes.map(routeOf) }),
    ...(rules && { rules: rules.map(({ net, table }) => ({ net, ...tablesOf(table) })) }),
    ...(addresses && { addresses: addresses as Record<number, AddressRule> }),
  }
}

function fileRule({ of: _, routes, rules, addresses, ...rest }: SetupRule): FileSetup {
  return {
    ...(structuredClone(rest) as Pick<FileSetup, 'forwarding' | 'masquerade' | 'bridges'>),
    ...(routes && { routes: routes.map(fileRoute) }),
    ...(rules && {
      rules: rules.map(({ net, ipv4, ipv6 }) => ({ net, table: shortTables({ ipv4, ipv6 }) })),
    }),
    ...(addresses && { addresses }),
  }
}

function linkRules(of: NodeSet, nets: Readonly<Record<string, FileLink>>): LinkRule[] {
  return Object.entries(nets).flatMap(([net, link]) =>
    [link].flat().map(({ direction, ...impairment }) => ({
      ...{ of, net: Number(net) },
      ...(direction !== undefined && { direction }),
      ...effective(impairment),
    })),
  )
}

/** For each direction of a link the first counts. */
function fileLinks(links: readonly LinkRule[]): NonNullable<TopologyFile['links']> {
  const file: Record<string, Record<string, FileImpairment[]>> = {}
  for (const { of, net, direction = 'sent', ...impairment } of links) {
    const nets = file[keyOf(of)] ?? {}
    const own = nets[net] ?? []
    const isGiven = own.some(each => [direction, 'both'].includes(each.direction ?? 'sent'))
    const word = direction === 'sent' ? {} : { direction }
    if (!isGiven) own.push({ ...word, ...effective(impairment) })
    file[keyOf(of)] = { ...nets, [net]: own }
  }
  const short = (nets: Readonly<Record<string, FileImpairment[]>>) =>
    Object.fromEntries(Object.entries(nets).map(([net, own]) => [net, own.length === 1 ? own[0]! : own]))
  return Object.fromEntries(Object.entries(file).map(([key, nets]) => [key, short(nets)]))
}

type FileRoute = NonNullable<FileSetup['routes']>[number]
type FileTables = NonNullable<FileRoute['table']>

function routeOf({ to, via, table }: FileRoute): RouteRule {
  const hops = Array.isArray(via) ? via : [via]
  return { to, via: hops.map(hopOf), ...(table !== undefined && { table: tablesOf(table) }) }
}

function hopOf({ net, node }: FileHop): HopRule {
  return { net, ...(node !== undefined && { node: node === 'host' ? hostId : node }) }
}

function fileRoute({ to, via, table }: RouteRule): FileRoute {
  const hops = via.map(({ net, node }): FileHop => {
    const named = node === hostId ? 'host' : node
    return { net, ...(named !== undefined && { node: named }) }
  })
  return { to, via: hops.length === 1 ? hops[0]! : hops, ...(table && { table: shortTables(table) }) }
}

function tablesOf(table: FileTables): { readonly ipv4: number; readonly ipv6: number } {
  return typeof table === 'number' ? { ipv4: table, ipv6: table } : table
}

function shortTables({ ipv4, ipv6 }: { readonly ipv4: number; readonly ipv6: number }): FileTables {
  return ipv4 === ipv6 ? ipv4 : { ipv4, ipv6 }
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

function withoutAbsent<T extends object>(value: T): Present<T> {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as Present<T>
}
