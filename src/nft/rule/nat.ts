import { badValue, conflict } from '../errors.ts'
import { concatenation } from '../set/concat.ts'
import type { Mapped } from '../set/maps.ts'
import { type Range, spanOf, valueText } from '../set/span.ts'
import { take } from '../takes.ts'
import { types } from '../types.ts'
import type { ValueType } from '../values.ts'
import {
  NF_NAT_RANGE_PERSISTENT,
  NF_NAT_RANGE_PROTO_RANDOM,
  NF_NAT_RANGE_PROTO_RANDOM_FULLY,
  NF_NAT_RANGE_PROTO_SPECIFIED,
  NFT_REG_1,
} from '../wire/index.ts'
import { type Draft, immediate, type Statement } from './draft.ts'
import { registerAt } from './registers.ts'

export interface NatOptions {
  readonly port?: number | Range<number> | undefined
  /** Chooses the port at random; `fully` uses more than a hash. */
  readonly random?: boolean | 'fully'
  /** A client gets the same address for all of its connections. */
  readonly persistent?: boolean
}

export interface NatTarget extends Omit<NatOptions, 'port'> {
  /** With `port: 'mapped'` the map leads to pairs, `['10.0.0.1', 8080]`. */
  readonly address: string | Range<string> | Mapped | Mapped<readonly [string, number]>
  readonly port?: NatOptions['port'] | 'mapped'
  /** For a {@link Mapped} address, when the rule does not decide it: 4 or 6. */
  readonly version?: 4 | 6
}

/** Replaces the source address by that of the outgoing interface. */
export function masquerade(options: NatOptions = {}): Statement {
  take('build masquerade', options, 'NatOptions')
  return {
    text: 'masquerade',
    write(rule) {
      const ports = loadPorts(rule, options, NFT_REG_1)
      const flags = flagsOf(options)
      rule.add({ kind: 'masq', ...(flags !== 0 && { flags }), ...ports })
    },
  }
}

/** Redirects packets to this machine. `redirect to :10053` */
export function redirect(options: NatOptions = {}): Statement {
  take('build redirect', options, 'NatOptions')
  return {
    text: `redirect${options.port === undefined ? '' : ` to :${valueText(options.port)}`}`,
    write(rule) {
      const ports = loadPorts(rule, options, NFT_REG_1)
      const flags = flagsOf(options)
      rule.add({ kind: 'redir', ...ports, ...(flags !== 0 && { flags }) })
    },
  }
}

/** Replaces the destination address (and port). `dnat to 10.0.0.1:80` */
export const dnat = (target: NatTarget) => translation('dnat', target)
/** Replaces the source address. `snat to 10.0.0.1` */
export const snat = (target: NatTarget) => translation('snat', target)

function translation(type: 'dnat' | 'snat', target: NatTarget): Statement {
  take(`build ${type}`, target, 'NatTarget')
  const { address } = target
  const text = `${type} to ${isMapped(address) ? address.text : valueText(address)}`
  return {
    text,
    write(rule) {
      const family = familyOf(rule, target, text)
      const { last, ...addresses } = loadAddresses(rule, target, family)
      const { port } = target
      const ports = port === 'mapped' ? {} : loadPorts(rule, { port }, last + 1)
      const flags = flagsOf(target)
      rule.add({ kind: 'nat', type, family, ...addresses, ...ports, ...(flags !== 0 && { flags }) })
    },
  }
}

const isMapped = (address: NatTarget['address']): address is Mapped | Mapped<readonly [string, number]> =>
  typeof address === 'object' && 'load' in address

function familyOf(rule: Draft, { address, version }: NatTarget, text: string): 'ip' | 'ip6' {
  const sample = isMapped(address) ? undefined : typeof address === 'string' ? address : address.from
  const said = version === undefined ? rule.network : version === 4 ? 'ip' : 'ip6'
  const family = sample === undefined ? said : sample.includes(':') ? 'ip6' : 'ip'
  if (family === undefined) throw badValue(text, 'the IP version is unknown: give `version`')
  if (rule.network !== undefined && rule.network !== family)
    throw conflict(text, `only ${rule.network} packets reach it`)
  return family
}

interface Addresses {
  readonly addressMin: number
  readonly addressMax?: number
  /** When the map has it. */
  readonly portMin?: number
  readonly last: number
}

function loadAddresses(rule: Draft, { address, port }: NatTarget, family: 'ip' | 'ip6'): Addresses {
  const type = family === 'ip' ? types.ipv4_addr : types.ipv6_addr
  const addressMin = NFT_REG_1
  if (isMapped(address)) {
    const pair = port === 'mapped'
    address.load(rule, (pair ? concatenation([type, types.inet_service]) : type) as ValueType<never>)
    return { addressMin, last: addressMin, ...(pair && { portMin: registerAt(type.length) }) }
  }
  if (port === 'mapped') throw badValue('port', 'a mapped port needs a mapped address')
  const { from, to } = spanOf(type, address)
  rule.add(immediate(addressMin, { value: from }))
  if (Buffer.compare(from, to) === 0) return { addressMin, last: addressMin }
  rule.add(immediate(addressMin + 1, { value: to }))
  return { addressMin, addressMax: addressMin + 1, last: addressMin + 1 }
}

/** Loads ports into registers from `first` on. */
function loadPorts(rule: Draft, { port }: NatOptions, first: number) {
  if (port === undefined) return {}
  if (!rule.hasTransport)
    throw badValue(
      `port ${valueText(port)}`,
      'a port needs a match of the protocol before it, such as l4proto tcp',
    )
  const { from, to } = spanOf(types.inet_service, port)
  rule.add(immediate(first, { value: from }))
  if (typeof port === 'number') return { portMin: first }
  rule.add(immediate(first + 1, { value: to }))
  return { portMin: first, portMax: first + 1 }
}

function flagsOf({ port, random, persistent }: Omit<NatOptions, 'port'> & { port?: unknown }): number {
  const atRandom = random === 'fully' ? NF_NAT_RANGE_PROTO_RANDOM_FULLY : NF_NAT_RANGE_PROTO_RANDOM
  return (
    (port === undefined || port === 'mapped' ? 0 : NF_NAT_RANGE_PROTO_SPECIFIED) |
    (random ? atRandom : 0) |
    (persistent ? NF_NAT_RANGE_PERSISTENT : 0)
  )
}
