import { addressBytes, addressText } from '../../base/index.ts'
import { NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, request } from '../../netlink/index.ts'
import { given } from '../link/given.ts'
import type { LinkRef, Operation } from '../operation.ts'
import { take } from '../takes.ts'
import * as wire from '../wire/index.ts'

export interface AddressSpec {
  readonly link: LinkRef
  readonly address: string
  readonly prefix: number
  /** The peer's address on a point-to-point link. `prefix` is then the peer's. */
  readonly peer?: string
  readonly broadcast?: string
  readonly anycast?: string
  /** IPv4: a name of the address, by convention the interface's with `:` and more after it. */
  readonly label?: string
  /** `universe` 0, `link` 253, `host` 254. Default: 254 for 127/8, else 0. The kernel decides for IPv6. */
  readonly scope?: number
  /** The metric of the route to its network. */
  readonly metric?: number
  /** The origin of the address (IFAPROT_*): 1 loopback, 2 router advertisement, 3 link-local. */
  readonly protocol?: number
  /** Seconds until the address is removed. Default: it stays. */
  readonly validLifetime?: number
  /** Seconds until new connections avoid it (`deprecated`), at most `validLifetime`, which is the default. */
  readonly preferredLifetime?: number
  /** Makes the address usable at once: IPv6 skips duplicate address detection. */
  readonly noDad?: boolean
  /** IPv6: usable while duplicate address detection runs. */
  readonly optimistic?: boolean
  /** IPv6: the home address of a mobile node (RFC 6275). */
  readonly home?: boolean
  /** IPv6: temporary addresses are made of its prefix (RFC 8981). */
  readonly manageTemporary?: boolean
  /** Adds no route to its network. */
  readonly noPrefixRoute?: boolean
  /** IPv4: joins the multicast group that the address is, for all sockets. */
  readonly autoJoin?: boolean
}

/** The flags that a caller chooses. The kernel sets the others. */
const chosen = ['noDad', 'optimistic', 'home', 'manageTemporary', 'noPrefixRoute', 'autoJoin'] as const

type Details = Pick<AddressSpec, 'peer' | 'broadcast' | 'anycast' | 'label' | 'metric' | 'protocol'>

/** An address that an interface has. `addresses.add` takes it as it is. */
export interface Address extends Details, Readonly<Record<wire.AddressFlag, boolean>> {
  /** Index of the interface. */
  readonly link: number
  /** Its name, if the listing was asked for names. */
  readonly linkName?: string
  readonly family: 4 | 6
  readonly address: string
  readonly prefix: number
  /** `universe` 0, `link` 253, `host` 254. */
  readonly scope: number
  /** Seconds left. Absent if it stays valid, or preferred, for ever. */
  readonly validLifetime?: number
  readonly preferredLifetime?: number
  /** IPv6: duplicate address detection is running. The address cannot be used yet. */
  readonly tentative: boolean
  /** IPv6: duplicate address detection found another owner. The address cannot be used. */
  readonly duplicate: boolean
  /** True for an address without a lifetime. */
  readonly permanent: boolean
}

type Which = Pick<AddressSpec, 'link' | 'address' | 'prefix' | 'peer'>

const verbs = {
  add: NLM_F_CREATE | NLM_F_EXCL,
  replace: NLM_F_CREATE | NLM_F_REPLACE,
} as const

export function setAddress(spec: AddressSpec, verb: keyof typeof verbs): Operation {
  return operation(spec, { type: wire.RTM_NEWADDR, flags: verbs[verb], op: `${verb} address` }, spec)
}

export function removeAddress(which: Which): Operation {
  return operation(which, { type: wire.RTM_DELADDR, op: 'remove address' })
}

function operation(
  which: Which,
  about: { type: number; flags?: number; op: string },
  spec?: AddressSpec,
): Operation {
  const { link, address, prefix, peer } = take(about.op, which, 'AddressSpec')
  const local = addressBytes(address)
  const other = peer === undefined ? local : addressBytes(peer)
  const bits = spec ? bitsOf(spec) : 0
  const fixed = {
    family: local.length === 4 ? wire.AF_INET : wire.AF_INET6,
    prefix,
    flags: bits > 0xff ? 0 : bits,
    scope: spec?.scope ?? scopeOf(local),
    attributes: { local, address: other, ...(spec && attributesOf(spec, bits)) },
  }
  return {
    refers: [link],
    requests(names) {
      const value = { ...fixed, index: names.indexOf(link) }
      return [request(wire.addressMessage, value, { ...about, target: `${address}/${prefix} (${link})` })]
    },
  }
}

function bitsOf(spec: AddressSpec): number {
  return chosen.reduce((bits, flag) => (spec[flag] ? bits | wire.addressFlags[flag] : bits), 0)
}

function attributesOf(spec: AddressSpec, bits: number): wire.AddressMessage['attributes'] {
  const { broadcast, anycast, label, metric, protocol } = spec
  return {
    label,
    broadcast: broadcast === undefined ? undefined : addressBytes(broadcast),
    anycast: anycast === undefined ? undefined : addressBytes(anycast),
    lifetimes: lifetimesOf(spec),
    flags: bits > 0xff ? bits : undefined,
    metric,
    protocol,
  }
}

const forever = 0xffffffff

function lifetimesOf({ validLifetime, preferredLifetime }: AddressSpec) {
  if (validLifetime === undefined && preferredLifetime === undefined) return undefined
  const valid = validLifetime ?? forever
  return { preferred: preferredLifetime ?? valid, valid, created: 0, updated: 0 }
}

/** The same as `ip`: 127/8 has scope host. For IPv6 the kernel decides. */
function scopeOf(address: Uint8Array): number {
  return address.length === 4 && address[0] === 127 ? wire.RT_SCOPE_HOST : wire.RT_SCOPE_UNIVERSE
}

/** Converts the kernel's message. */
export function addressOf({ family, prefix, scope, index, ...message }: wire.AddressMessage): Address {
  const { local, address, broadcast, anycast, lifetimes, ...rest } = message.attributes
  const own = local ?? address ?? new Uint8Array(family === wire.AF_INET ? 4 : 16)
  const hasPeer = local && address && Buffer.compare(local, address) !== 0
  return {
    link: index,
    family: family === wire.AF_INET ? 4 : 6,
    address: addressText(own),
    prefix,
    scope,
    ...flagsOf(rest.flags ?? message.flags),
    ...given({
      peer: hasPeer ? addressText(address) : undefined,
      broadcast: broadcast && addressText(broadcast),
      anycast: anycast && addressText(anycast),
      label: rest.label,
      metric: rest.metric,
      protocol: rest.protocol,
      validLifetime: secondsOf(lifetimes?.valid),
      preferredLifetime: secondsOf(lifetimes?.preferred),
    }),
  }
}

const secondsOf = (lifetime: number | undefined) => (lifetime === forever ? undefined : lifetime)

function flagsOf(bits: number): Record<wire.AddressFlag, boolean> {
  const flags = Object.entries(wire.addressFlags).map(([name, bit]) => [name, (bits & bit) !== 0])
  return Object.fromEntries(flags) as Record<wire.AddressFlag, boolean>
}
