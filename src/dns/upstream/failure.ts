import { durationText, isSystemError, messageOf } from '../../base/index.ts'
import { DnsError } from '../errors.ts'
import { Extended } from '../wire/constants.ts'

/** The upstream did not answer in time. */
export function silent(name: string, ms: number): DnsError {
  const reason = `no answer within ${durationText(ms)}`
  return new DnsError({ code: 'UPSTREAM_SILENT', op: 'ask', target: name, reason })
}

/** The network, the upstream's machine, or this machine refused the query. */
export function unreachable(name: string, cause: unknown): DnsError {
  const reason = cause === undefined ? 'the connection was closed' : messageOf(cause)
  return new DnsError({ code: 'UPSTREAM_UNREACHABLE', op: 'ask', target: name, reason, cause })
}

/** The upstream's answer is not usable. */
export function malformed(name: string): DnsError {
  const reason = 'its answer is malformed, or does not match the query'
  return new DnsError({ code: 'UPSTREAM_GARBLED', op: 'ask', target: name, reason })
}

/** The upstream sent a part of the answer where all of it has room (RFC 1035 §7.4, RFC 2181 §9). */
export function cutShort(name: string): DnsError {
  const reason = 'its answer over TCP is truncated'
  return new DnsError({ code: 'UPSTREAM_GARBLED', op: 'ask', target: name, reason })
}

/** The server over HTTPS did not send a DNS message. */
export function badHttp(name: string, reason: string): DnsError {
  return new DnsError({ code: 'UPSTREAM_GARBLED', op: 'ask', target: name, reason })
}

/** The server's certificate is not one to trust, or is another's. */
export function untrusted(name: string, cause: unknown): DnsError {
  return new DnsError({
    code: 'UPSTREAM_UNTRUSTED',
    op: 'ask',
    target: name,
    reason: `its certificate is refused: ${messageOf(cause)}`,
    remedy: 'Check the name after #, and whether its authority is one that is trusted',
    cause,
  })
}

/** The query was cancelled. */
export function cancelled(name: string): DnsError {
  const reason = 'another answer was faster'
  return new DnsError({ code: 'UPSTREAM_CALLED_OFF', op: 'ask', target: name, reason })
}

/** True for a lack of descriptors, ports or memory on this machine, which is not the upstream's fault. */
export function isOurs(failure: DnsError): boolean {
  return isSystemError(failure.cause, 'EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL', 'EAGAIN')
}

/** The extended error (RFC 8914) for the client. */
export function extendedOf(failure: DnsError): number {
  if (isOurs(failure)) return Extended.other
  return failure.code === 'UPSTREAM_UNREACHABLE' ? Extended.networkError : Extended.noReachableAuthority
}

/** The error for an invalid domain. */
export function badZone(domain: string): DnsError {
  return new DnsError({
    code: 'BAD_ZONE',
    kind: 'usage',
    op: 'use name servers for',
    target: domain,
    reason: 'it is not a valid domain',
    remedy: 'Write it as example.org=192.0.2.1',
  })
}
