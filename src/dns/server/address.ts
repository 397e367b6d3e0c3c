import { isAddress } from '../../base/index.ts'
import type { NetNamespace } from '../../sys/index.ts'
import { DnsError } from '../errors.ts'
import { take } from '../takes.ts'

/** A place to listen at. */
export interface NetPlace {
  readonly address: string
  readonly port: number
  readonly namespace?: NetNamespace
  readonly reusePort?: boolean
}

/** The port of CoreDNS in the original xcluster: 53 needs privileges, and is often taken. */
export const usualPort = 10053

/** Reads `192.0.2.1`, `192.0.2.1:53`, `[::1]:53`, `::1`, `fe80::1%eth0`, `:53` (all addresses). */
export function parsePlace(text: string, port = usualPort): { address: string; port: number } {
  take('read address', text, ['text', 'text'])
  take('read address', port, ['number', 'port'])
  const [, bracketed, plain, number] = /^(?:\[([^\]]+)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(text) ?? []
  const address = bracketed ?? (plain === '' ? '::' : (plain ?? text))
  const wanted = number === undefined ? port : Number(number)
  if (text !== '' && isAddress(address.split('%')[0]!) && wanted <= 0xffff) return { address, port: wanted }
  throw new DnsError({
    code: 'DNS_BAD_ADDRESS',
    kind: 'usage',
    op: 'read address',
    target: `'${text}'`,
    reason: 'it is not an address with a port',
    remedy: 'Write 192.0.2.1:53 or [::1]:53',
  })
}

/** `[::]:10053`, `127.0.0.1:53`. */
export function placeText(place: { address: string; port: number }): string {
  const { address, port } = take('print address', place, 'place')
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
