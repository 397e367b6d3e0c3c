import { addressBytes, addressText, isAddress } from '../../../base/index.ts'
import { DnsError } from '../../errors.ts'

/** The address of a name server. */
export interface Server {
  readonly address: string
  /** The interface of a link-local address: `eth0`, `2`. */
  readonly scope: string | undefined
  readonly port: number
}

const dnsPort = 53

/**
 * Reads `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1`, `fe80::1%eth0`, `[2001:db8::1]:5353`; undefined for any
 * other text.
 */
export function readServer(text: string): Server | undefined {
  const bracketed = /^\[([^\]]+)\](?::(\d{1,5}))?$/.exec(text)
  const withPort = bracketed ?? /^([^:]+):(\d{1,5})$/.exec(text)
  const [, host = text, digits] = withPort ?? []
  const [, address = '', scope] = /^([^%]+)(?:%([^%\s/]{1,15}))?$/.exec(host) ?? []
  const port = digits === undefined ? dnsPort : Number(digits)
  if (!isAddress(address) || port < 1 || port > 0xffff) return undefined
  return { address: addressText(addressBytes(address)), scope, port }
}

/** The same for an address that a user gave. Throws BAD_UPSTREAM. */
export function parseServer(text: string): Server {
  const server = readServer(text)
  if (server) return server
  throw new DnsError({
    code: 'BAD_UPSTREAM',
    kind: 'usage',
    op: 'use upstream',
    target: text,
    reason: 'it is not the address of a name server',
    remedy: 'Write it as 192.0.2.1, 192.0.2.1:5353, fe80::1%eth0 or [2001:db8::1]:5353',
  })
}

export function serverText({ address, scope, port }: Server): string {
  const host = scope === undefined ? address : `${address}%${scope}`
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/**
 * True for an address that only this network namespace can reach: 127.0.0.53, ::1, and 0.0.0.0, which means
 * the same.
 */
export function isLocal({ address }: Server): boolean {
  return address.startsWith('127.') || ['::1', '0.0.0.0', '::'].includes(address)
}
