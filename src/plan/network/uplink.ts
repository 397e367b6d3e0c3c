import { addressBytes, addressText, type Cidr, parseCidr, settingText } from '../../base/index.ts'
import { PlanError } from '../errors.ts'

/** An address in both families. */
export interface Pair {
  readonly ipv4: string
  readonly ipv6: string
}

/** The veth pair between a cluster's namespace and the outside, before it exists. */
export interface UplinkPlan {
  readonly index: number
  /** `xcluster<i>`, the end outside. */
  readonly link: string
  /** `host<i>`, the end inside the cluster's namespace. */
  readonly peer: string
  readonly outside: Pair
  readonly inside: Pair
  /** The subnets of all these addresses. Packets from them leave the machine with an address of the outside. */
  readonly base: Pair
}

export interface UplinkRequest {
  readonly index: number
  /** `172.30.0.0/24`; or `172.30`, which means 172.30.0.i inside and 172.30.1.i outside. */
  readonly ipv4Base: string
  /** The text before the IPv4 address: `fd00:1723::`. */
  readonly ipv6Prefix: string
}

/** The names and addresses of an uplink. Throws UPLINK_INDEX when the base has no addresses for `index`. */
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
  /** The highest index that has addresses. */
  readonly most: number
}

function oldAddresses(index: number, base: string): Addresses {
  const subnet = { address: `${base}.0.0`, prefix: 22 }
  return { inside: `${base}.0.${index}`, outside: `${base}.1.${index}`, subnet, most: 255 }
}

/** Pairs of addresses upwards from the base. Only the last byte counts up. */
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

/** The network of an address: its host part is zero. */
export function networkOf({ address, prefix }: Cidr): Cidr {
  const bytes = addressBytes(address).map((byte, i) => byte & maskByte(prefix, i))
  return { address: addressText(bytes), prefix }
}

/** True when one of the two networks contains the other. */
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
    reason: `${base} has no addresses for uplink ${index}: it has room for the numbers 0 to ${most}`,
    remedy: `Use one of those numbers, or another ${settingText('ipv4Base')}`,
  })
}
