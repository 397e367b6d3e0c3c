import { existsSync } from 'node:fs'
import type { Environment } from '../../plan/index.ts'
import { CliError } from '../errors.ts'

interface Given {
  readonly env: Environment
  readonly options: Readonly<Record<string, unknown>>
}

/**
 * In the original xcluster `__dns_spoof` is a file like hosts(5), here it is a list `NAME=ADDRESS,…`. A value that is a
 * file becomes the setting `dnsHosts`. Throws BAD_SETTING when that has another file.
 */
export function withSpoofFile({ env, options }: Given): Given {
  const { dnsSpoof: _, dnsHosts, ...rest } = options
  const given = spoofFileIn({ env, options })
  if (given === undefined) return { env, options }
  const other = dnsHosts ?? env.__dns_hosts
  if (other && other !== given) throw twoFiles(given, String(other))
  return { env: { ...env, __dns_spoof: '' }, options: { ...rest, dnsHosts: given } }
}

/** The file that stands in place of a list of names. */
export function spoofFileIn({ env, options }: Given): string | undefined {
  const given = options.dnsSpoof ?? env.__dns_spoof
  return typeof given === 'string' && isFile(given) ? given : undefined
}

function isFile(value: string): boolean {
  return value !== '' && !value.includes('=') && (value.includes('/') || existsSync(value))
}

function twoFiles(spoof: string, hosts: string): CliError {
  const reason = `it is a file (${spoof}), and so is __dns_hosts (${hosts}); there can be one`
  return new CliError({ code: 'BAD_SETTING', kind: 'usage', target: '__dns_spoof', reason })
}
