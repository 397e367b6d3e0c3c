import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { SecureContext } from 'node:tls'
import { messageOf } from '../../base/index.ts'
import { DnsError } from '../errors.ts'

/** What the certificates of servers are checked with. All servers share it. */
export interface Trust {
  /** Certificates in PEM; undefined: the roots that Node has. */
  readonly ca: string | undefined
  /** Made at the first connection: it takes milliseconds. */
  context?: SecureContext
}

/** Trusts the certificates in a PEM file instead of Node's roots. Throws UPSTREAM_CA. */
export function trustOf(caFile: string | undefined): Trust {
  if (caFile === undefined) return { ca: undefined }
  try {
    const ca = readFileSync(caFile, 'latin1')
    const certificates = ca.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
    for (const each of certificates) new X509Certificate(each)
    if (certificates.length > 0) return { ca }
  } catch (failure) {
    throw unusable(caFile, messageOf(failure), failure)
  }
  throw unusable(caFile, 'it has no certificate')
}

function unusable(target: string, reason: string, cause?: unknown): DnsError {
  const remedy = 'Give a file of certificates in PEM format'
  const op = 'read certificates of upstreams from'
  return new DnsError({ code: 'UPSTREAM_CA', kind: 'usage', op, target, reason, remedy, cause })
}
