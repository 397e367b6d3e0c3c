import { addressBytes, addressText, isAddress } from '../../../base/index.ts'
import { DnsError } from '../../errors.ts'
import { take } from '../../takes.ts'
import { readSecure, type Secure, secureText } from './secure.ts'

/** The address of a name server. */
export interface Server {
  readonly address: string
  /** The interface of a link-local address: `eth0`, `2`. */
  readonly scope: string | undefined
  readonly port: number
  /** It is asked over TLS or HTTPS. */
  readonly secure?: Secure
}

const dnsPort = 53

/**
 * Reads `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1`, `fe80::1%eth0`, `[2001:db8::1]:5353`; undefined for any
 * other text.
 */
export function readServer(text: string, usualPort: number = dnsPort): Server | undefined {
  const bracketed = /^\[([^\]]+)\](?::(\d{1,5}))?$/.exec(text)
  const withPort = bracketed ?? /^([^:]+):(\d{1,5})$/.exec(text)
  const [, host = text, digits] = withPort ?? []
  const [, address = '', scope] = /^([^%]+)(?:%([^%\s/]{1,15}))?$/.exec(host) ?? []
  const port = digits === undefined ? usualPort : Number(digits)
  if (!isAddress(address) || port < 1 || port > 0xffff) return undefined
  return { address: addressText(addressBytes(address)), scope, port }
}

/** The same for an address that a user gave. Throws BAD_UPSTREAM. */
export function parseServer(text: string): Server {
  take('use upstream', text, ['text', 'text'])
  const written = readSecure(text)
  const server = readServer(written?.place ?? text, written?.port)
  if (server) return { ...server, ...(written && { secure: written.secure }) }
  const named = namedServer(text)
  throw new DnsError({
    code: 'BAD_UPSTREAM',
    kind: 'usage',
    op: 'use upstream',
    target: text,
    reason: named
      ? 'it has a name in place of the address, and to look that up would take a resolver, in clear text'
      : 'it is not the address of a name server',
    remedy: named
      ? `Put the address there and the name behind it: ${named}`
      : 'Write it as 192.0.2.1, [2001:db8::1]:5353, fe80::1%eth0, tls://192.0.2.1#name or https://192.0.2.1/dns-query#name',
  })
}

/** How `https://dns.example/dns-query` is written with an address; undefined for other text. */
function namedServer(text: string): string | undefined {
  const pattern =
    /^(tls|https):\/\/([a-z0-9_](?:[a-z0-9._-]*[a-z0-9])?)((?::\d{1,5})?(?:\/[!-"$-~]*)?)(?:#.*)?$/i
  const [, scheme, name, rest] = pattern.exec(text) ?? []
  return scheme && name && !isAddress(name) ? `${scheme.toLowerCase()}://192.0.2.1${rest}#${name}` : undefined
}

export function serverText({ address, scope, port, secure }: Server): string {
  const host = scope === undefined ? address : `${address}%${scope}`
  const place = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  return secure ? secureText(place, secure) : place
}

/**
 * True for an address that only this network namespace can reach: 127.0.0.53, ::1, and 0.0.0.0, which means
 * the same.
 */
export function isLocal({ address }: Server): boolean {
  return address.startsWith('127.') || ['::1', '0.0.0.0', '::'].includes(address)
}
