import { addressBytes, addressText, type Cidr, hostId } from '../base/index.ts'
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
  return addressText(addressBytes(`${prefix}:${ipv4On(net, id)}`))
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
