import ipaddr from 'ipaddr.js'
import { XclusterError } from './errors.ts'

/** An address as the wire has it: 4 or 16 bytes. */
export function addressBytes(address: string): Uint8Array {
  if (!isAddress(address)) throw notAn('IP address', address)
  return Uint8Array.from(ipaddr.parse(address).toByteArray())
}

/** True for IPv6 and for all four parts of an IPv4 address, in decimal: `inet_aton`'s short forms are refused. */
export function isAddress(text: string): boolean {
  return ipaddr.IPv6.isValid(text) || ipaddr.IPv4.isValidFourPartDecimal(text)
}

/** The shortest usual spelling (RFC 5952) of 4 or 16 bytes. */
export function addressText(bytes: Uint8Array): string {
  if (bytes.length !== 4 && bytes.length !== 16) throw notAn('IP address', `${bytes.length} bytes`)
  const parsed = ipaddr.fromByteArray([...bytes])
  return parsed instanceof ipaddr.IPv6 ? parsed.toRFC5952String() : parsed.toString()
}

/** A network or an interface's address with its prefix length. */
export interface Cidr {
  readonly address: string
  readonly prefix: number
}

/** Reads `192.168.0.250/24`. */
export function parseCidr(text: string): Cidr {
  if (!ipaddr.isValidCIDR(text) || !isAddress(text.split('/')[0]!)) throw notAn('address/length', text)
  const [address, prefix] = ipaddr.parseCIDR(text)
  return { address: addressText(Uint8Array.from(address.toByteArray())), prefix }
}

/** Reads `00:00:00:01:00:fa` into its six bytes. */
export function macBytes(mac: string): Uint8Array {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(mac)) throw notAn('Ethernet address', mac)
  return Uint8Array.from(mac.split(':'), part => Number.parseInt(part, 16))
}

/** Writes Ethernet address bytes the usual way, `00:00:00:01:00:fa`. */
export function macText(bytes: Uint8Array): string {
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join(':')
}

function notAn(what: string, got: string): XclusterError {
  return new XclusterError({ code: 'BAD_ADDRESS', kind: 'usage', reason: `'${got}' is not an ${what}` })
}
