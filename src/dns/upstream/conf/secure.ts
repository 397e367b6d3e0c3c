import { isAddress } from '../../../base/index.ts'

/** How a server is asked over TLS. */
export interface Secure {
  /** DNS over TLS (RFC 7858), or over HTTPS (RFC 8484). */
  readonly protocol: 'tls' | 'https'
  /** The name that its certificate must have; undefined: its address. */
  readonly name: string | undefined
  /** `/dns-query`; empty with TLS. */
  readonly path: string
}

/** A text such as `tls://192.0.2.1#dns.example` in its parts. */
export interface SecureText {
  /** `192.0.2.1`, `[2001:db8::1]:8853` */
  readonly place: string
  readonly port: number
  readonly secure: Secure
}

const ports = { tls: 853, https: 443 } as const
const usualPath = '/dns-query'
const namePattern =
  /^(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i

/**
 * Reads `tls://IP[:853]#name` and `https://IP[:443]/path#name`; undefined for other text. The address is needed:
 * looking up a name would need a resolver in turn.
 */
export function readSecure(text: string): SecureText | undefined {
  const pattern = /^(tls|https):\/\/(\[[^\]/#]+\](?::\d+)?|[^/#[\]]+)(\/[!-"$-~]*)?(?:#(.+))?$/i
  const [, scheme, place, path, name] = pattern.exec(text) ?? []
  if (!scheme || !place || (name !== undefined && (!namePattern.test(name) || isAddress(name))))
    return undefined
  const protocol = scheme.toLowerCase() as keyof typeof ports
  if (protocol === 'tls' && path !== undefined) return undefined
  const secure = { protocol, name, path: protocol === 'tls' ? '' : (path ?? usualPath) }
  return { place, port: ports[protocol], secure }
}

/** `tls://192.0.2.1:853#dns.example` */
export function secureText(place: string, { protocol, name, path }: Secure): string {
  return `${protocol}://${place}${path}${name === undefined ? '' : `#${name}`}`
}
