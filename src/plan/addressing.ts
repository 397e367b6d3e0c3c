import { addressBytes, addressText, type Cidr, hostId, isAddress } from '../base/index.ts'
import type { Subnet } from './types.ts'

/** The IPv4 address of a node (or the host) in a net: `192.168.<net>.<id>`. */
export function ipv4On(net: number, id: number): string {
  return `192.168.${net}.${id}`
}

/**
 * Its IPv6 address, with the IPv4 address in the low 32 bits: `<prefix>:192.168.<net>.<id>`, in the spelling
 * of `ip`.
 */
export function ipv6On(prefix: string, net: number, id: number): string {
  return ipv6With(prefix, ipv4On(net, id))
}

/** The IPv6 address with this IPv4 address in the low 32 bits. */
export function ipv6With(prefix: string, ipv4: string): string {
  return addressText(addressBytes(`${prefix}:${ipv4}`))
}

/**
 * The IPv4 address by a template, `169.254.0.0/20/24`: the bits from 20 to 24 are the number of the net, as much of
 * it as fits, and those after 24 the node's.
 */
export function byTemplate(template: string, net: number, id: number): string {
  const [address = '', from, to] = template.split('/')
  const bits = Number(to) - Number(from)
  const base = Buffer.from(addressBytes(address)).readUInt32BE()
  const value = base + (net % 2 ** bits) * 2 ** (32 - Number(to)) + id
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return addressText(bytes)
}

/** True for a template that {@link byTemplate} takes: the bits of net and node are 0, and subnets are /24. */
export function isTemplate(text: string): boolean {
  const [, address = '', from = '', to = ''] = /^(\d+\.\d+\.\d+\.\d+)\/(\d+)\/(\d+)$/.exec(text) ?? []
  if (!isAddress(address) || Number(to) !== ipv4Length || Number(from) > ipv4Length || Number(from) < 8)
    return false
  return Buffer.from(addressBytes(address)).readUInt32BE() % 2 ** (32 - Number(from)) === 0
}

/** The prefix lengths. The last byte of an address is the node. */
export const ipv4Length = 24
export const ipv6Length = 120

/** The subnets of a net. */
export function subnetOf(prefix: string, net: number): Subnet {
  return { ipv4: `${ipv4On(net, 0)}/${ipv4Length}`, ipv6: `${ipv6On(prefix, net, 0)}/${ipv6Length}` }
}

/** The host's addresses on `nets`. */
export function hostAddresses(prefix: string, nets: readonly number[]): Map<number, Cidr[]> {
  const on = (net: number): Cidr[] => [
    { address: ipv4On(net, hostId), prefix: ipv4Length },
    { address: ipv6On(prefix, net, hostId), prefix: ipv6Length },
  ]
  return new Map(nets.map(net => [net, on(net)]))
}
