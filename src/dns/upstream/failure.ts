import { isSystemError, messageOf } from '../../base/index.ts'
import { DnsError } from '../errors.ts'
import { Extended } from '../wire/constants.ts'

/** Not a sound in the time there is. */
export function silent(name: string, ms: number): DnsError {
  const reason = `no answer within ${Math.round(ms)} ms`
  return new DnsError({ code: 'UPSTREAM_SILENT', op: 'ask', target: name, reason })
}

/** The network, the machine there, or this machine does not want to. */
export function unreachable(name: string, cause: unknown): DnsError {
  const reason = cause === undefined ? 'the connection was closed' : messageOf(cause)
  return new DnsError({ code: 'UPSTREAM_UNREACHABLE', op: 'ask', target: name, reason, cause })
}

/** What comes back is no answer. */
export function garbled(name: string): DnsError {
  const reason = 'its answer is malformed, or not to what was asked'
  return new DnsError({ code: 'UPSTREAM_GARBLED', op: 'ask', target: name, reason })
}

/** Nobody waits for it any more. */
export function calledOff(name: string): DnsError {
  const reason = 'another answer was faster'
  return new DnsError({ code: 'UPSTREAM_CALLED_OFF', op: 'ask', target: name, reason })
}

/** True for want of descriptors, ports or memory here: no fault of the upstream's. */
export function isOurs(failure: DnsError): boolean {
  return isSystemError(failure.cause, 'EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL', 'EAGAIN')
}

/** Which extended error (RFC 8914) an asker is told. */
export function extendedOf(failure: DnsError): number {
  if (isOurs(failure)) return Extended.other
  return failure.code === 'UPSTREAM_UNREACHABLE' ? Extended.networkError : Extended.noReachableAuthority
}

/** A domain that is none. */
export function badZone(domain: string): DnsError {
  return new DnsError({
    code: 'BAD_ZONE',
    kind: 'usage',
    op: 'use name servers for',
    target: domain,
    reason: 'that is no domain',
    remedy: 'Write it as example.org=192.0.2.1',
  })
}
