import { XclusterError } from './errors.ts'

/** The bytes of an IP address in network byte order: 4 for IPv4, 16 for IPv6. Throws `BAD_ADDRESS`. */
export function addressBytes(address: string): Uint8Array {
  if (isIpv4(address)) return Uint8Array.from(address.split('.'), Number)
  const canonical = canonicalIpv6(address)
  if (canonical === undefined) throw notAn('IP address', address)
  const [head = '', tail] = canonical.split('::')
  const [before, after] = [groupsOf(head), groupsOf(tail ?? '')]
  const zeros = new Array<number>(8 - before.length - after.length).fill(0)
  return Uint8Array.from([...before, ...zeros, ...after].flatMap(group => [group >> 8, group & 0xff]))
}

/**
 * True for an IPv6 address, and for an IPv4 address with all four parts in decimal. `inet_aton`'s short forms
 * (`10.1`) are refused.
 */
export function isAddress(text: string): boolean {
  return isIpv4(text) || canonicalIpv6(text) !== undefined
}

/**
 * The canonical text of an address of 4 or 16 bytes (IPv6: RFC 5952). Throws `BAD_ADDRESS` for any other
 * length.
 */
export function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.')
  if (bytes.length !== 16) throw notAn('IP address', `${bytes.length} bytes`)
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i]! << 8) | bytes[2 * i + 1]!).toString(16))
  return canonicalIpv6(groups.join(':'))!
}

function isIpv4(text: string): boolean {
  const parts = text.split('.')
  return parts.length === 4 && parts.every(part => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)
}

/**
 * The canonical text of an IPv6 address, or undefined when `text` is not one. Node's URL parser reads every
 * form (WHATWG URL §3.5). A library for it would cost every `xc` command 35 ms to load
 * (docs/decisions/owner-and-cli.md).
 */
function canonicalIpv6(text: string): string | undefined {
  const literal = `http://[${text}]`
  return /^[\da-f:.]+$/i.test(text) && URL.canParse(literal)
    ? new URL(literal).hostname.slice(1, -1)
    : undefined
}

function groupsOf(text: string): number[] {
  return text === '' ? [] : text.split(':').map(group => Number.parseInt(group, 16))
}

/** An address with its prefix length, of a network or of an interface. */
export interface Cidr {
  readonly address: string
  readonly prefix: number
}

/** Reads `192.168.0.250/24`. */
export function parseCidr(text: string): Cidr {
  const [, address = '', length = ''] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? []
  const prefix = Number(length)
  if (!isAddress(address) || prefix > (isIpv4(address) ? 32 : 128))
    throw notAn('address with a prefix length', text)
  return { address: addressText(addressBytes(address)), prefix }
}

/** Reads an Ethernet address, `00:00:00:01:00:fa`, into its six bytes. Throws `BAD_ADDRESS`. */
export function macBytes(mac: string): Uint8Array {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(mac)) throw notAn('Ethernet address', mac)
  return Uint8Array.from(mac.split(':'), part => Number.parseInt(part, 16))
}

/** The text of an Ethernet address, `00:00:00:01:00:fa`. */
export function macText(bytes: Uint8Array): string {
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join(':')
}

function notAn(what: string, got: string): XclusterError {
  return new XclusterError({ code: 'BAD_ADDRESS', kind: 'usage', reason: `'${got}' is not an ${what}` })
}
