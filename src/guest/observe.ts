import { expressionsOf, masquerade, match, type Table } from '../nft/index.ts'
import type {
  Masqueraded,
  Observed,
  ObservedHop,
  ObservedImpairment,
  ObservedNeighbour,
  ObservedRoute,
  ObservedRule,
} from '../plan/index.ts'
import type { Address, Link, Neighbour, Qdisc, RouteEntry, Rule } from '../rtnl/index.ts'
import { isIngress } from './impair.ts'
import type { GuestKernel } from './kernel.ts'

/** What to read beside links, addresses, routes, rules and neighbours. */
export interface Reading {
  readonly sysctls: readonly string[]
  /** The rules to look for. */
  readonly masquerades: readonly Masqueraded[]
}

/** Each packet is compared with all of them. */
const mostRules = 1000
/** Each is asked for its filters. */
const mostIngress = 100

type Names = (index: number | undefined) => string

/**
 * Reads what a guest's kernel has. All questions are sent at once, and the guest answers one after the other: no program
 * runs there. The answers are those of a guest: it may send anything, and may not answer at all.
 */
export async function observe(kernel: GuestKernel, reading: Reading): Promise<Observed> {
  const sysctls = reading.sysctls.map(async name => [name, await kernel.read(`/proc/sys/${name}`)] as const)
  const [links, addresses, ipv4, ipv6, rules, neighbours, qdiscs, masquerades, values] = await Promise.all([
    kernel.route().links.list(),
    kernel.route().addresses.list(),
    kernel.route().routes.list({ family: 4, table: 0 }),
    kernel.route().routes.list({ family: 6, table: 0 }),
    kernel.route().rules.list(),
    kernel.route().neighbours.list(),
    kernel.route().qdiscs.list(),
    reading.masquerades.length > 0 ? masqueraded(kernel, reading.masquerades) : [],
    Promise.all(sysctls),
  ])
  if (rules.length > mostRules)
    throw new Error(`it has ${rules.length} rules, and at most ${mostRules} can be verified`)
  const names = namesOf(links)
  const received = await receivedBy(kernel, qdiscs, names)
  return {
    links: links.map(link => linkOf(link, names)),
    addresses: addresses.map(address => addressOf(address, names)),
    routes: [...ipv4, ...ipv6].map(route => routeOf(route, names)),
    rules: rules.map(ruleOf),
    neighbours: neighbours.map(neighbour => neighbourOf(neighbour, names)),
    masquerades,
    impairments: [...qdiscs.flatMap(qdisc => impairmentOf(qdisc, names(qdisc.link), 'sent')), ...received],
    sysctls: Object.fromEntries(
      values.flatMap(([name, value]) => (value === undefined ? [] : [[name, value.trim()]])),
    ),
  }
}

/** Its neighbours alone. */
export async function observeNeighbours(
  kernel: GuestKernel,
  links: Observed['links'],
): Promise<ObservedNeighbour[]> {
  const names = namesOf(links)
  return (await kernel.route().neighbours.list()).map(neighbour => neighbourOf(neighbour, names))
}

/** A neighbour for the guest's kernel to look for. */
export interface Probe {
  readonly dev: string
  readonly address: string
  /** The kernel knows where it is: it asks there, and nowhere else. */
  readonly known: boolean
}

/** Lets the guest's kernel ask each of them for its Ethernet address now. Those that cannot be asked stay as they are. */
export async function probe(kernel: GuestKernel, probes: readonly Probe[]): Promise<void> {
  const route = kernel.route()
  const asking = route.batch(batch => {
    for (const { dev, address, known } of probes)
      batch.neighbours.replace({
        ...{ link: dev, address },
        ...(known ? { state: 'probe' } : { state: 'none', use: true }),
      })
  })
  await asking.catch(() => {})
}

function namesOf(links: readonly Pick<Observed['links'][number], 'index' | 'name'>[]): Names {
  const names = new Map(links.map(({ index, name }) => [index, name]))
  return index => (index === undefined ? '' : (names.get(index) ?? `interface ${index}`))
}

function linkOf(
  { index, name, mac, mtu, up, carrier, master }: Link,
  names: Names,
): Observed['links'][number] {
  return {
    ...{ index, name, mtu, up, carrier },
    ...(mac !== undefined && { mac }),
    ...(master !== undefined && { master: names(master) }),
  }
}

function addressOf(
  { link, family, address, prefix, duplicate, tentative }: Address,
  names: Names,
): Observed['addresses'][number] {
  return { dev: names(link), family, address, prefix, duplicate, tentative }
}

/** What the netem of an interface does to what another one receives that redirects it there. */
async function receivedBy(
  kernel: GuestKernel,
  qdiscs: readonly Qdisc[],
  names: Names,
): Promise<ObservedImpairment[]> {
  const incoming = qdiscs.filter(isIngress)
  if (incoming.length > mostIngress)
    throw new Error(
      `${incoming.length} of its interfaces filter what comes in, and at most ${mostIngress} can`,
    )
  const each = incoming.map(async ({ link }) => {
    const filters = await kernel.route().filters.list({ link, parent: 'ingress' })
    const to = new Set(filters.map(({ redirect }) => redirect))
    const there = qdiscs.filter(qdisc => to.has(qdisc.link))
    return there.flatMap(qdisc => impairmentOf(qdisc, names(link), 'received'))
  })
  return (await Promise.all(each)).flat()
}

function impairmentOf(
  { settings }: Qdisc,
  dev: string,
  direction: ObservedImpairment['direction'],
): ObservedImpairment[] {
  if (settings?.kind !== 'netem') return []
  const { delay, jitter, loss, duplicate, reorder, corrupt, rate, seed } = settings
  const chosen = seed === undefined ? undefined : Number(seed)
  const known = Object.entries({ delay, jitter, loss, duplicate, reorder, corrupt, rate, seed: chosen })
  return [{ dev, direction, ...Object.fromEntries(known.filter(([, value]) => value)) }]
}

function neighbourOf({ link, address, mac, state }: Neighbour, names: Names): ObservedNeighbour {
  return { dev: names(link), address, state, ...(mac !== undefined && { mac }) }
}

function routeOf(route: RouteEntry, names: Names): ObservedRoute {
  const { family, table, destination, type, metric, mtu, tos, from } = route
  return {
    ...{ family, table, destination, type, metric, hops: hopsOf(route, names) },
    ...(mtu !== undefined && { mtu }),
    ...((tos !== 0 || from !== undefined) && { special: true }),
  }
}

function hopsOf({ ways, dev, via, flags }: RouteEntry, names: Names): ObservedHop[] {
  const hops = ways.length > 0 ? ways : dev === undefined ? [] : [{ dev, via, flags, weight: 1 }]
  return hops.map(hop => ({
    ...{ dev: names(hop.dev), weight: hop.weight },
    ...(hop.via !== undefined && { via: hop.via }),
    ...((hop.flags.includes('dead') || hop.flags.includes('linkdown')) && { dead: true }),
  }))
}

const plainRule = new Set([
  ...['family', 'priority', 'action', 'table', 'inDev', 'outDev', 'from', 'to'],
  ...['suppressPrefixLength', 'protocol', 'permanent'],
])

function ruleOf(rule: Rule): ObservedRule {
  const { family, priority, action, table, inDev, outDev, from, to, suppressPrefixLength } = rule
  const known = { table, inDev, outDev, from, to, suppressPrefixLength }
  const given = Object.entries(known).filter(([, value]) => value !== undefined)
  const special = Object.entries(rule).some(([key, value]) => value !== undefined && !plainRule.has(key))
  return { family, priority, action, ...Object.fromEntries(given), ...(special && { special }) }
}

/** Those of the wanted that a rule of a chain for packets that leave carries out. */
async function masqueraded(
  kernel: GuestKernel,
  wanted: readonly Masqueraded[],
): Promise<readonly Masqueraded[]> {
  try {
    const { tables } = await kernel.nft().list()
    return wanted.filter(each => tables.some(table => masquerades(table, each)))
  } catch (failure) {
    if (isWithoutNetfilter(failure)) return []
    throw failure
  }
}

/** A guest whose kernel has no nf_tables yet: nothing has used it. */
function isWithoutNetfilter(failure: unknown): boolean {
  return /EPROTONOSUPPORT|EOPNOTSUPP|EINVAL/.test(String(failure))
}

function masquerades({ family, dormant, chains }: Table, { outDev, source }: Masqueraded): boolean {
  const isIpv6 = source.includes(':')
  if (dormant || (family !== 'inet' && family !== (isIpv6 ? 'ip6' : 'ip'))) return false
  const from = isIpv6 ? match.ip6.saddr(source) : match.ip.saddr(source)
  const wanted = textOf(expressionsOf(family, [match.oifname(outDev), from, masquerade()]))
  return chains.some(
    ({ type, hook, rules }) =>
      type === 'nat' &&
      hook === 'postrouting' &&
      rules.some(
        ({ expressions }) => textOf(expressions.filter(({ kind }) => kind !== 'counter')) === wanted,
      ),
  )
}

/** Equal for equal expressions, whatever the order of their fields. */
function textOf(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (Array.isArray(value)) return `[${value.map(textOf).join()}]`
  if (typeof value !== 'object' || value === null) return String(value)
  const fields = Object.entries(value).filter(([, field]) => field !== undefined)
  return `{${fields
    .map(([key, field]) => `${key}:${textOf(field)}`)
    .sort()
    .join()}}`
}
