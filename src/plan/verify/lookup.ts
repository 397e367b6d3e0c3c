import { addressBytes } from '../../base/index.ts'
import type { IpFamily, Observed, ObservedHop, ObservedRoute, ObservedRule } from './observed.ts'

/** What a packet is routed by. */
export interface Packet {
  readonly family: IpFamily
  readonly to: string
  /** Absent for what a node sends itself: it chooses the source after the route. */
  readonly from?: string
  readonly inDev?: string
  /** Of a socket that is bound to this interface. */
  readonly outDev?: string
}

/** Where a node sends a packet. */
export interface Found {
  /** Absent when there is no route. */
  readonly route?: ObservedRoute
  /** The rule that led to it. */
  readonly rule?: ObservedRule
  /** Those of the route that the packet may take. */
  readonly hops: readonly ObservedHop[]
}

const nowhere: Found = { hops: [] }

/** The routes of one table, by prefix length and network: the most preferred ones first. */
interface Table {
  /** Prefix lengths that occur, the longest first. */
  readonly lengths: number[]
  readonly routes: Map<string, ObservedRoute[]>
}

const tables = new WeakMap<readonly ObservedRoute[], ReadonlyMap<string, Table>>()

/** Finds a packet's route as the kernel does: rule by rule, and in each table the longest prefix that has a hop for it. */
export function lookUp({ rules, routes }: Pick<Observed, 'rules' | 'routes'>, packet: Packet): Found {
  const to = bytesOf(packet.to)
  const prepared = preparedOf(routes)
  for (const rule of rules) {
    if (!applies(rule, packet)) continue
    if (rule.action !== 'lookup') return nowhere // unreachable, prohibit, blackhole; `goto` is not followed
    const found = inTable(prepared.get(`${rule.family} ${rule.table}`), { to, packet, rule })
    if (found && found.route?.type !== 'throw') return { ...found, rule }
  }
  return nowhere
}

function inTable(
  table: Table | undefined,
  { to, packet, rule }: { readonly to: Uint8Array; readonly packet: Packet; readonly rule: ObservedRule },
): Found | undefined {
  const { outDev } = packet
  for (const length of table?.lengths ?? []) {
    if (length <= (rule.suppressPrefixLength ?? -1)) continue
    for (const route of table?.routes.get(keyOf(to, length)) ?? []) {
      if (route.type !== 'unicast' && route.type !== 'local') return { route, hops: [] }
      const hops = route.hops.filter(({ dev, dead }) => !dead && (outDev === undefined || dev === outDev))
      if (hops.length > 0) return { route, hops }
    }
  }
  return undefined
}

/** What the plan knows nothing of (marks, ports, users) is taken as not met. */
function applies(rule: ObservedRule, { family, to, from, inDev, outDev }: Packet): boolean {
  return (
    rule.family === family &&
    !rule.special &&
    (rule.inDev === undefined || rule.inDev === (inDev ?? 'lo')) &&
    (rule.outDev === undefined || rule.outDev === outDev) &&
    (rule.to === undefined || isIn(to, rule.to)) &&
    (rule.from === undefined || (from !== undefined && isIn(from, rule.from)))
  )
}

function isIn(address: string, network: string): boolean {
  const [base = '', length = ''] = network.split('/')
  return isWithin(bytesOf(address), bytesOf(base), Number(length))
}

function isWithin(address: Uint8Array, network: Uint8Array, length: number): boolean {
  if (address.length !== network.length) return false
  const whole = length >> 3
  for (let at = 0; at < whole; at++) if (address[at] !== network[at]) return false
  const rest = length & 7
  return rest === 0 || (address[whole]! ^ network[whole]!) >> (8 - rest) === 0
}

function preparedOf(routes: readonly ObservedRoute[]): ReadonlyMap<string, Table> {
  const known = tables.get(routes)
  if (known) return known
  const prepared = new Map<string, Table>()
  for (const route of routes.filter(({ special }) => !special).toSorted((a, b) => a.metric - b.metric)) {
    const [base, length = '0'] = route.destination.split('/')
    const network = base === 'default' ? new Uint8Array() : bytesOf(base!)
    const name = `${route.family} ${route.table}`
    const table: Table = prepared.get(name) ?? { lengths: [], routes: new Map<string, ObservedRoute[]>() }
    prepared.set(name, table)
    const key = keyOf(network, Number(length))
    const alike = table.routes.get(key)
    if (alike) alike.push(route)
    else table.routes.set(key, [route])
    if (!table.lengths.includes(Number(length))) table.lengths.push(Number(length))
  }
  for (const { lengths } of prepared.values()) lengths.sort((a, b) => b - a)
  tables.set(routes, prepared)
  return prepared
}

/** The first `length` bits of an address. */
function keyOf(address: Uint8Array, length: number): string {
  const [whole, rest] = [length >> 3, length & 7]
  const bytes = address.slice(0, rest === 0 ? whole : whole + 1)
  if (rest > 0) bytes[whole] = bytes[whole]! & (0xff << (8 - rest))
  return `${length} ${String.fromCharCode(...bytes)}`
}

const parsed = new Map<string, Uint8Array>()
const mostParsed = 10_000

function bytesOf(address: string): Uint8Array {
  const known = parsed.get(address)
  if (known) return known
  if (parsed.size >= mostParsed) parsed.clear()
  const bytes = addressBytes(address)
  parsed.set(address, bytes)
  return bytes
}
