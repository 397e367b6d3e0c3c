import type { DnsOptions } from '../../dns/index.ts'
import { CliError } from '../errors.ts'

/** The options of `xc dns`, as commander returns them. */
export interface DnsCommandOptions {
  readonly listen?: string[]
  readonly resolvConf?: string
  readonly upstream?: string[]
  readonly upstreamCa?: string
  readonly filter?: string
  readonly dns64?: string | true
  readonly cacheTtlMax?: string
  readonly cacheSize?: string
  readonly cacheBytes?: string
  readonly zone?: string[]
  readonly hosts?: string
  readonly record?: string[]
  readonly fault?: string[]
  readonly allow?: string[]
  readonly policy?: string
  readonly mixedCase?: boolean
  readonly rebindProtection?: boolean
  readonly log?: string
  readonly metrics?: string
  readonly threads?: string
  readonly query?: string
  readonly server?: string
  readonly tcp?: boolean
  readonly json?: boolean
}

/** For options that can be repeated. */
export function collect(value: string, before: string[] = []): string[] {
  return [...before, value]
}

/** The options of the forwarder. An option that is not given keeps its default. */
export function dnsOptionsOf(options: DnsCommandOptions): Omit<DnsOptions, 'namespace' | 'clock' | 'dialer'> {
  const { listen, resolvConf, upstream, hosts, allow, policy, log, metrics } = options
  if (policy !== undefined && policy !== 'sequential' && policy !== 'random' && policy !== 'fastest')
    throw badValue('--policy', `'${policy}' is not sequential, random or fastest`)
  const { filter, dns64, upstreamCa } = options
  if (filter !== undefined && filter !== 'aaaa' && filter !== 'a')
    throw badValue('--filter', `'${filter}' is not aaaa or a`)
  if (upstream && resolvConf !== undefined)
    throw badValue('--upstream', 'it excludes --resolv-conf: both name the upstream servers')
  const cacheTtlMax = numberOf('--cache-ttl-max', options.cacheTtlMax, { least: 0, most: 604_800 })
  const cacheEntries = numberOf('--cache-size', options.cacheSize, { least: 1, most: 10_000_000 })
  const cacheBytes = numberOf('--cache-bytes', options.cacheBytes, { least: 65_536, most: 2 ** 36 })
  return {
    ...(listen && { listen }),
    ...(upstream && { upstreams: upstream }),
    ...(allow && { allow }),
    ...(options.zone && { zones: zonesOf(options.zone) }),
    ...given({ resolvConf, hostsFile: hosts, policy, log, metrics, cacheTtlMax, cacheEntries, cacheBytes }),
    ...given({ filter, upstreamCa }),
    ...(dns64 !== undefined && { dns64: dns64 === true ? {} : { prefix: dns64 } }),
    ...given({ mixedCase: options.mixedCase, rebindProtection: options.rebindProtection }),
  }
}

/**
 * Reads `example.org=192.0.2.1` and `example.org=192.0.2.1,trust-ad`. Several servers for one domain are tried
 * in order.
 */
function zonesOf(texts: readonly string[]): { domain: string; upstreams: string[]; trustAd: boolean }[] {
  const zones = new Map<string, { upstreams: string[]; trustAd: boolean }>()
  for (const text of texts) {
    const [, domain, upstream, suffix] = /^([^=]+)=([^,]+)(,trust-ad)?$/.exec(text) ?? []
    if (!domain || !upstream)
      throw badValue('--zone', `'${text}' is not DOMAIN=ADDR[:PORT] or DOMAIN=ADDR[:PORT],trust-ad`)
    const trustAd = suffix !== undefined
    const zone = zones.get(domain) ?? { upstreams: [], trustAd }
    if (zone.trustAd !== trustAd)
      throw badValue('--zone', `all servers of '${domain}' need ,trust-ad, or none: any of them may answer`)
    zones.set(domain, { upstreams: [...zone.upstreams, upstream], trustAd })
  }
  return Array.from(zones, ([domain, zone]) => ({ domain, ...zone }))
}

type Given<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> }

function given<T extends object>(values: T): Given<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Given<T>
}

export function numberOf(
  option: string,
  text: string | undefined,
  { least, most }: { least: number; most: number },
): number | undefined {
  if (text === undefined) return undefined
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (value >= least && value <= most) return value
  throw badValue(option, `'${text}' is not a whole number from ${least} to ${most}`)
}

export function badValue(option: string, reason: string): CliError {
  return new CliError({
    code: 'BAD_USAGE',
    kind: 'usage',
    target: option,
    reason,
    remedy: 'See: xc dns --help',
  })
}

/** Resolves at the first SIGTERM or SIGINT. A second one ends the process as usual. */
export function untilStopped(): Promise<void> {
  return new Promise(resolve => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve())
  })
}
