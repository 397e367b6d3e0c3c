import { addressBytes, addressText, type Cidr, parseCidr } from '../../base/index.ts'
import { PlanError } from '../errors.ts'

/** The same in both families. */
export interface Pair {
  readonly ipv4: string
  readonly ipv6: string
}

/** The cable between a cluster's namespace and the outside, before it exists. */
export interface UplinkPlan {
  readonly index: number
  /** `xcluster<i>`, outside. */
  readonly link: string
  /** `host<i>`, inside. */
  readonly peer: string
  readonly outside: Pair
  readonly inside: Pair
  /** The subnets that all of these addresses are from: the outside leaves with addresses of its own for them. */
  readonly base: Pair
}

export interface UplinkRequest {
  readonly index: number
  /** `172.30.0.0/24`; or `172.30`, which means 172.30.0.i inside and 172.30.1.i outside. */
  readonly ipv4Base: string
  /** What stands before the IPv4 address: `fd00:1723::`. */
  readonly ipv6Prefix: string
}

/** Names and addresses of an uplink. Throws UPLINK_INDEX when the base has no room for this number. */
export function planUplink({ index, ipv4Base, ipv6Prefix }: UplinkRequest): UplinkPlan {
  const { inside, outside, subnet, most } = /^\d+\.\d+$/.test(ipv4Base)
    ? oldAddresses(index, ipv4Base)
    : addresses(index, parseCidr(ipv4Base))
  if (!Number.isInteger(index) || index < 0 || index > most) throw noRoom(index, ipv4Base, most)
  const both = (ipv4: string) => ({ ipv4, ipv6: addressText(addressBytes(`${ipv6Prefix}${ipv4}`)) })
  const { address, prefix } = subnet
  return {
    index,
    link: `xcluster${index}`,
    peer: `host${index}`,
    inside: both(inside),
    outside: both(outside),
    base: { ipv4: `${address}/${prefix}`, ipv6: `${both(address).ipv6}/${96 + prefix}` },
  }
}

interface Addresses {
  readonly inside: string
  readonly outside: string
  readonly subnet: Cidr
  /** The highest index there is room for. */
  readonly most: number
}

function oldAddresses(index: number, base: string): Addresses {
  const subnet = { address: `${base}.0.0`, prefix: 22 }
  return { inside: `${base}.0.${index}`, outside: `${base}.1.${index}`, subnet, most: 255 }
}

/** Pairs of addresses from the base on; only the last byte counts up. */
function addresses(index: number, { address, prefix }: Cidr): Addresses {
  const bytes = addressBytes(address)
  const [first, size] = [bytes[3]!, 2 ** (32 - prefix)]
  const end = size > 256 ? 256 : first - (first % size) + size
  const at = (last: number) => [...bytes.subarray(0, 3), last].join('.')
  return {
    inside: at(first + 2 * index),
    outside: at(first + 2 * index + 1),
    subnet: networkOf({ address, prefix }),
    most: Math.floor((end - first) / 2) - 1,
  }
}

/** With the host's part zero. */
export function networkOf({ address, prefix }: Cidr): Cidr {
  const bytes = addressBytes(address).map((byte, i) => byte & maskByte(prefix, i))
  return { address: addressText(bytes), prefix }
}

/** True when one of the two is in the other. */
export function overlap(one: string, other: string): boolean {
  const [a, b] = [parseCidr(one), parseCidr(other)]
  const prefix = Math.min(a.prefix, b.prefix)
  const within = (cidr: Cidr) => networkOf({ ...cidr, prefix }).address
  return a.address.includes(':') === b.address.includes(':') && within(a) === within(b)
}

function maskByte(prefix: number, i: number): number {
  const bits = Math.min(8, Math.max(0, prefix - 8 * i))
  return (0xff << (8 - bits)) & 0xff
}

function noRoom(index: number, base: string, most: number): PlanError {
  return new PlanError({
    code: 'UPLINK_INDEX',
    kind: 'usage',
    op: 'plan uplink',
    target: `xcluster${index}`,
    reason: `its addresses are not in ${base}: there is room for the numbers 0 to ${most}`,
    remedy: 'Take one of those, or another --ipv4-base',
  })
}
