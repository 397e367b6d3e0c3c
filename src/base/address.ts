import { XclusterError } from './errors/errors.ts'
import { kindOf } from './shape.ts'

/** The bytes of an IP address in network byte order: 4 for IPv4, 16 for IPv6. Throws `BAD_ADDRESS`. */
export function addressBytes(address: string): Uint8Array {
  if (typeof address !== 'string') throw notAn('IP address', address)
  const ipv4 = ipv4Bytes(address)
  if (ipv4) return ipv4
  const canonical = canonicalIpv6(address)
  if (canonical === undefined) throw notAn('IP address', address)
  const [head = '', tail] = canonical.split('::')
  const [before, after] = [groupsOf(head), groupsOf(tail ?? '')]
  const bytes = new DataView(new ArrayBuffer(16))
  for (const [at, group] of before.entries()) bytes.setUint16(2 * at, group)
  for (const [at, group] of after.entries()) bytes.setUint16(2 * (8 - after.length + at), group)
  return new Uint8Array(bytes.buffer)
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
  return ipv4Bytes(text) !== undefined
}

/** Undefined when `text` is not four decimal numbers without leading zeros. Digit by digit: see isLinkName. */
function ipv4Bytes(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(4)
  let [part, digits, value] = [0, 0, 0]
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x2e && digits > 0 && part < 3) {
      bytes[part++] = value
      digits = value = 0
    } else if (code >= 0x30 && code <= 0x39 && !(digits > 0 && value === 0)) {
      value = value * 10 + code - 0x30
      digits++
      if (value > 255) return undefined
    } else return undefined
  }
  if (part !== 3 || digits === 0) return undefined
  bytes[3] = value
  return bytes
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
  const [, address = '', length = ''] = (typeof text === 'string' && /^([^/]+)\/(\d{1,3})$/.exec(text)) || []
  const prefix = Number(length)
  if (!isAddress(address) || prefix > (isIpv4(address) ? 32 : 128))
    throw notAn('address with a prefix length', text)
  return { address: addressText(addressBytes(address)), prefix }
}

/** Reads an Ethernet address, `00:00:00:01:00:fa`, into its six bytes. Throws `BAD_ADDRESS`. */
export function macBytes(mac: string): Uint8Array {
  if (typeof mac !== 'string' || mac.length !== 17) throw notAn('Ethernet address', mac)
  const bytes = new Uint8Array(6)
  for (let at = 0; at < 6; at++) {
    const high = hexDigit(mac.charCodeAt(3 * at))
    const low = hexDigit(mac.charCodeAt(3 * at + 1))
    if (high < 0 || low < 0 || (at > 0 && mac[3 * at - 1] !== ':')) throw notAn('Ethernet address', mac)
    bytes[at] = high * 16 + low
  }
  return bytes
}

/** The text of an Ethernet address, `00:00:00:01:00:fa`. */
export function macText(bytes: Uint8Array): string {
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join(':')
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const letter = code | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}

function notAn(what: string, got: unknown): XclusterError {
  const shown = typeof got === 'string' ? `'${got}'` : kindOf(got)
  return new XclusterError({ code: 'BAD_ADDRESS', kind: 'usage', reason: `${shown} is not an ${what}` })
}
