import { addressBytes, isAddress, nodeName } from '../../base/index.ts'
import { idOf } from '../node-ids.ts'
import { isNameServer, type Kind } from './kinds.ts'

/** `vm-250.255.` stands before a domain in the longest name of a node, which has 253 characters at most. */
const longestDomain = 253 - 'vm-250.255.'.length
const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
/** The last label of a domain is not a number: programs would take the name for an address (RFC 3696 §2). */
const domainPattern = new RegExp(`^(?:${label}\\.)*(?!\\d+$)${label}$`)

/** A domain in small letters without its final dot; empty for none. */
export const domainName: Kind<string> = {
  expects:
    'a domain such as lab.test: labels of letters, digits and dashes (xn--… for others), the last not a number',
  read(value) {
    if (typeof value !== 'string') return undefined
    const domain = value.toLowerCase().replace(/\.$/, '')
    return value === '' || (domainPattern.test(domain) && domain.length <= longestDomain) ? domain : undefined
  },
  print: value => value,
}

/** The name servers of a domain and all below it, tried in order. */
export interface ZoneServers {
  readonly domain: string
  readonly upstreams: readonly string[]
  /** Their AD bit counts: they validate. */
  readonly trustAd: boolean
}

/** `example.org=192.0.2.1,example.net=[2001:db8::1]:5353,trust-ad`: `trust-ad` is for the domain before it. */
export const dnsZones: Kind<readonly ZoneServers[]> = {
  expects:
    'a list of domains with name servers, such as example.org=192.0.2.1,example.net=192.0.2.2:5353,trust-ad',
  read(value) {
    const zones = value === '' ? [] : typeof value === 'string' ? zonesIn(value) : value
    return Array.isArray(zones) && zones.every(isZone) ? zones : undefined
  },
  print: value => value.map(zoneText).join(','),
}

function zonesIn(text: string): ZoneServers[] | undefined {
  const zones = new Map<string, { upstreams: string[]; trustAd: boolean }>()
  let last: { upstreams: string[]; trustAd: boolean } | undefined
  for (const word of text.split(',')) {
    const [, domain, server = word] = /^([^=[\]]+)=(.*)$/.exec(word) ?? []
    const named = domain === undefined ? last : (zones.get(domain) ?? { upstreams: [], trustAd: false })
    if (!named) return undefined
    if (domain !== undefined) zones.set(domain, named)
    if (server === 'trust-ad' && domain === undefined) named.trustAd = true
    else named.upstreams.push(server)
    last = named
  }
  return Array.from(zones, ([domain, zone]) => ({ domain, ...zone }))
}

function isZone(value: Partial<ZoneServers> | null): boolean {
  const { domain, upstreams, trustAd } = value ?? {}
  if (typeof domain !== 'string' || !Array.isArray(upstreams) || upstreams.length === 0) return false
  const labels = domain.length <= 253 ? domain.replace(/\.$/, '').split('.') : ['']
  return (
    typeof trustAd === 'boolean' &&
    labels.every(each => /^[\w-]{1,63}$/.test(each)) &&
    upstreams.every(each => typeof each === 'string' && isNameServer(each))
  )
}

function zoneText({ domain, upstreams, trustAd }: ZoneServers): string {
  return [...upstreams.map(upstream => `${domain}=${upstream}`), ...(trustAd ? ['trust-ad'] : [])].join(',')
}

/** A record of one's own. */
export interface OwnRecord {
  /** `www.lab.test`, `*.lab.test`, or an address for its reverse name. */
  readonly name: string
  readonly type: string
  /** As in a zone file. The forwarder reads it. */
  readonly data: string
  readonly ttl?: number
  /** The nodes that it is for, `vm-001`; absent: all askers. */
  readonly nodes?: readonly string[]
}

/**
 * `_http._tcp.lab.test SRV 0 5 80 vm-001.lab.test; www.lab.test 60 CNAME vm-001.lab.test`. With `@vm-001,vm-002` before
 * the name the record is for these nodes alone.
 */
export const ownRecords: Kind<readonly OwnRecord[]> = {
  expects:
    "a list of records 'NAME [TTL] TYPE DATA', separated by semicolons, with @vm-001 before one node's",
  read(value) {
    const records = typeof value === 'string' ? typedRecords(value).map(ofNodes) : value
    return Array.isArray(records) && records.every(isRecord) ? records : undefined
  },
  print: value => value.map(recordText).join('; '),
}

/** A record as it is typed: `@ASKERS NAME TTL TYPE DATA`, without askers and TTL too. */
export interface TypedRecord extends Omit<OwnRecord, 'nodes'> {
  readonly askers?: readonly string[]
}

/** Reads records that are separated by semicolons outside of quotes. Undefined stands for one that cannot be read. */
export function typedRecords(text: string): (TypedRecord | undefined)[] {
  const parts = text.match(/(?:"(?:[^"\\]|\\.)*"|[^;])+/g) ?? []
  return parts
    .map(part => part.trim())
    .filter(Boolean)
    .map(readRecord)
}

function readRecord(text: string): TypedRecord | undefined {
  const pattern = /^(?:@(\S+)\s+)?(\S+)\s+(?:(\d{1,10})\s+)?(?:IN\s+)?([a-z][a-z0-9]*)\s+(\S.*)$/i
  const [, askers, name, ttl, type, data] = pattern.exec(text) ?? []
  if (name === undefined || type === undefined || data === undefined) return undefined
  return {
    ...{ name: name.toLowerCase().replace(/(?<=[^.])\.$/, ''), type: type.toUpperCase(), data },
    ...(ttl !== undefined && { ttl: Number(ttl) }),
    ...(askers && { askers: askers.split(',') }),
  }
}

function ofNodes(typed: TypedRecord | undefined): OwnRecord | undefined {
  if (!typed) return undefined
  const { askers, ...record } = typed
  const ids = askers?.map(idOf)
  if (ids?.includes(undefined)) return undefined
  return { ...record, ...(ids && { nodes: ids.map(id => nodeName(id!)) }) }
}

function isRecord(value: Partial<OwnRecord> | null | undefined): boolean {
  const { name, type, data, ttl = 0, nodes = [] } = value ?? {}
  const texts = [name, type, data].every(
    text => typeof text === 'string' && text !== '' && !/[\n\0]/.test(text),
  )
  const isTtl = Number.isInteger(ttl) && ttl >= 0 && ttl <= 0x7fffffff
  return texts && isTtl && Array.isArray(nodes) && nodes.every(node => idOf(node) !== undefined)
}

function recordText({ name, type, data, ttl, nodes }: OwnRecord): string {
  return [...(nodes ? [`@${nodes.join()}`] : []), name, ...(ttl === undefined ? [] : [ttl]), type, data].join(
    ' ',
  )
}

/** A NAT64 prefix (RFC 6052 §2.2). */
export const dns64Prefix: Kind<string> = {
  expects: 'off, on (64:ff9b::/96), or an IPv6 prefix of length 32, 40, 48, 56, 64 or 96',
  read: value =>
    typeof value === 'string' && (/^(off|on)$/.test(value) || isPrefix64(value)) ? value : undefined,
  print: value => value,
}

function isPrefix64(text: string): boolean {
  const [address = '', length = ''] = text.split('/')
  if (!address.includes(':') || !isAddress(address) || !/^(32|40|48|56|64|96)$/.test(length)) return false
  const bytes = addressBytes(address)
  return bytes[8] === 0 && bytes.subarray(Number(length) / 8).every(byte => byte === 0)
}
