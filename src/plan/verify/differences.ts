import { impairmentOf, impairmentText } from '../impairment.ts'
import type { Expected, ExpectedNeighbour } from './expected.ts'
import { localTable, mainTable } from './expected.ts'
import type { Observed, ObservedHop, ObservedLink, ObservedRoute, ObservedRule } from './observed.ts'

/** One thing of a node that is not as the plan says. */
export interface Finding {
  /** `route 192.168.2.0/24`, `MTU of eth1` */
  readonly what: string
  readonly should: string
  readonly is: string
}

const missing = 'missing'

/** What is not on a node as it should be. What it has beside that does not count. */
export function findingsOf(expected: Expected, observed: Observed): Finding[] {
  return [
    ...expected.links.flatMap(link => ofLink(link, observed)),
    ...expected.addresses.flatMap(address => ofAddress(address, observed)),
    ...expected.routes.flatMap(route => ofRoute(route, observed)),
    ...expected.rules.flatMap(rule => ofRule(rule, observed)),
    ...expected.neighbours.flatMap(neighbour => ofNeighbour(neighbour, observed)),
    ...ofMasquerades(expected, observed),
    ...expected.links.flatMap(link => ofImpairment(link, expected, observed)),
    ...ofSysctls(expected, observed),
  ]
}

const differing = (what: string, should: string, is: string): Finding[] =>
  should === is ? [] : [{ what, should, is }]

function ofLink(should: ObservedLink, { links }: Observed): Finding[] {
  const { name } = should
  const is = links.find(link => link.name === name)
  if (!is) return [{ what: `interface ${name}`, should: 'there', is: missing }]
  const state = ({ up, carrier }: ObservedLink) => (up ? (carrier ? 'up' : 'up without carrier') : 'down')
  const port = ({ master }: ObservedLink) => (master === undefined ? 'of no bridge' : `of ${master}`)
  return [
    ...differing(`interface ${name}`, state(should), state(is)),
    ...differing(`MTU of ${name}`, `${should.mtu}`, `${is.mtu}`),
    ...differing(`Ethernet address of ${name}`, `${should.mac}`, `${is.mac}`),
    ...differing(`interface ${name} as a port`, port(should), port(is)),
  ]
}

/** An IPv6 address that is tentative is not used yet. */
function ofAddress(should: Observed['addresses'][number], { addresses }: Observed): Finding[] {
  const { dev, address, prefix } = should
  const same = addresses.filter(each => each.address === address)
  const here = same.filter(each => each.dev === dev)
  const is = here.find(each => each.prefix === prefix) ?? here[0]
  const what = `address ${address}/${prefix} of ${dev}`
  if (!is) {
    const elsewhere = same[0] ? `on ${same[0].dev}` : missing
    return [{ what, should: 'there', is: elsewhere }]
  }
  if (is.prefix !== prefix) return [{ what, should: 'there', is: `with prefix length ${is.prefix}` }]
  if (is.duplicate) return [{ what, should: 'there', is: 'unused, because another node has it' }]
  return is.tentative ? [{ what, should: 'there', is: 'tentative' }] : []
}

/** Names a route in a difference. */
export function routeName({ family, destination, table }: ObservedRoute): string {
  const to = destination === 'default' ? `default of IPv${family}` : destination
  return `route ${to}${table === mainTable ? '' : ` in table ${table}`}`
}

/** Several routes to the same destination: the kernel takes the one with the least metric. */
function ofRoute(should: ObservedRoute, { routes }: Observed): Finding[] {
  const { family, table, destination } = should
  const [is] = routes
    .filter(route => route.family === family && route.table === table && !route.special)
    .filter(route => route.destination === destination)
    .sort((a, b) => a.metric - b.metric)
  const what = routeName(should)
  if (!is) return [{ what, should: hopsText(should.hops), is: missing }]
  if (is.type !== should.type) return [{ what, should: hopsText(should.hops), is: is.type }]
  const mtu =
    is.mtu === undefined
      ? []
      : [{ what: `path MTU of ${what}`, should: 'that of the interface', is: `${is.mtu}` }]
  return [...differing(what, hopsText(should.hops), hopsText(is.hops)), ...mtu]
}

/** `via 192.168.1.201 over eth1 and via 192.168.1.202 over eth1`, sorted. */
export function hopsText(hops: readonly ObservedHop[]): string {
  const even = hops.every(({ weight }) => weight === hops[0]!.weight)
  const texts = hops.map(({ dev, via, weight, dead }) =>
    [
      via === undefined ? `over ${dev}` : `via ${via} over ${dev}`,
      even ? '' : ` weight ${weight}`,
      dead ? ' (dead)' : '',
    ].join(''),
  )
  return texts.sort().join(' and ')
}

function ofRule(should: ObservedRule, { rules }: Observed): Finding[] {
  const { family, table, outDev } = should
  const alike = rules.filter(
    rule =>
      rule.family === family &&
      rule.outDev === outDev &&
      rule.inDev === undefined &&
      rule.from === undefined &&
      rule.to === undefined &&
      rule.suppressPrefixLength === undefined &&
      !rule.special,
  )
  if (alike.some(rule => rule.action === 'lookup' && rule.table === table)) return []
  const what = ruleName(should)
  const other = outDev === undefined ? undefined : alike[0]
  return [{ what, should: ruleText(should), is: other ? ruleText(other) : missing }]
}

/** Names a rule in a difference. */
export function ruleName({ family, outDev }: ObservedRule): string {
  return `rule of IPv${family}${outDev === undefined ? '' : ` for packets out of ${outDev}`}`
}

function ruleText({ action, table }: ObservedRule): string {
  if (action !== 'lookup') return action
  if (table === mainTable || table === localTable)
    return `look-up in table ${table === mainTable ? 'main' : 'local'}`
  return `look-up in table ${table}`
}

const unanswered: readonly string[] = ['failed', 'incomplete', 'none', 'probe']

/** A next hop is looked for before this: it must have answered. Of others only a wrong entry counts. */
function ofNeighbour(should: ExpectedNeighbour, { neighbours }: Observed): Finding[] {
  const { dev, address, mac, nextHop } = should
  const is = neighbours.find(each => each.dev === dev && each.address === address)
  const what = `neighbour ${address} on ${dev}`
  const failed = !is || unanswered.includes(is.state)
  if (failed) return nextHop ? [{ what, should: `${mac}`, is: 'without an answer' }] : []
  return is.mac === undefined ? [] : differing(what, `${mac}`, is.mac)
}

function ofMasquerades(should: Expected, is: Observed): Finding[] {
  return should.masquerades
    .filter(
      ({ outDev, source }) => !is.masquerades.some(each => each.outDev === outDev && each.source === source),
    )
    .map(({ outDev, source }) => ({
      what: `masquerade of ${source} on ${outDev}`,
      should: 'there',
      is: missing,
    }))
}

/** Also one that was not asked for is a difference: packets are late, or lost, because of it. */
function ofImpairment({ name }: ObservedLink, should: Expected, is: Observed): Finding[] {
  return (['sent', 'received'] as const).flatMap(way => {
    const own = ({ impairments }: Observed) =>
      impairments.filter(({ dev, direction }) => dev === name && direction === way)
    const isSeeded = own(should).some(({ seed }) => seed !== undefined) // a kernel lists one of its own else
    const text = (observed: Observed) => {
      const texts = own(observed).map(({ dev: _, direction: __, seed, ...netem }) =>
        impairmentText(impairmentOf({ ...netem, ...(isSeeded && seed !== undefined && { seed }) })),
      )
      return texts.join(' and ') || 'none'
    }
    return differing(`impairment of ${name}${way === 'sent' ? '' : ', received'}`, text(should), text(is))
  })
}

/** One that follows from another does not count beside it. */
function ofSysctls(should: Expected, is: Observed): Finding[] {
  const differs = (name: string) => should.sysctls[name] !== is.sysctls[name]
  return Object.entries(should.sysctls).flatMap(([name, value]) => {
    const [, dev] = /^net\/ipv6\/conf\/(.*)\/mtu$/.exec(name) ?? []
    const link = is.links.find(each => each.name === dev)
    if (dev !== undefined && `${link?.mtu}` !== value) return []
    if (name.startsWith('net/ipv4/conf/') && differs('net/ipv4/ip_forward')) return []
    return differing(name.replaceAll('/', '.'), value, is.sysctls[name] ?? missing)
  })
}
