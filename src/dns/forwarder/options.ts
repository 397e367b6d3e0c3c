import { uptime } from 'node:os'
import { type Clock, systemClock } from '../../base/index.ts'
import type { Dns64Options } from '../tailor/dns64.ts'
import type { Fault } from '../tailor/faults.ts'
import type { AddressFilter } from '../tailor/filter.ts'
import type { OwnHosts } from '../types.ts'
import { inMainNamespace } from '../upstream/conf/conf-file.ts'
import type { Policy } from '../upstream/group.ts'
import type { Dialer } from '../upstream/transport/sockets.ts'

/** The name servers of a domain and everything below it. */
export interface Zone {
  readonly domain: string
  readonly upstreams: readonly string[]
  /** Passes on the AD bit of these servers, which then have to validate (`trust-ad`). Default: false. */
  readonly trustAd?: boolean
}

export interface ResolverOptions {
  /** The resolv.conf(5) to follow when `upstreams` is not given. Default: /etc/resolv.conf. */
  readonly resolvConf?: string
  /** Name servers, as `192.0.2.1`, `[2001:db8::1]:5353`, `tls://192.0.2.1#name`, `https://192.0.2.1/dns-query#name`. With an empty list only local names are answered. */
  readonly upstreams?: readonly string[]
  readonly zones?: readonly Zone[]
  /** A file of certificates to trust for servers over TLS and HTTPS, instead of Node's roots. */
  readonly upstreamCa?: string
  readonly policy?: Policy
  /** A file in the format of /etc/hosts. */
  readonly hostsFile?: string
  /** Names and records that are answered here. {@link Resolver.setHosts} replaces them. */
  readonly own?: OwnHosts
  /** The most answers in the cache. Default: 10,000. */
  readonly cacheEntries?: number
  /** The most memory for them. Default: 32 MiB, and for more than 32,768 answers 1 KiB each. */
  readonly cacheBytes?: number
  /** The longest time that an answer is cached, in seconds. Longer TTLs are lowered to it. */
  readonly cacheTtlMax?: number
  /** How long answers are kept after their TTL, for when no upstream answers, in seconds. 0 turns it off. */
  readonly staleSeconds?: number
  /** Sends names with random capitals (0x20): harder to forge, but some servers do not support it. */
  readonly mixedCase?: boolean
  /** Refuses answers with private addresses, except those of a zone's own servers. */
  readonly rebindProtection?: boolean
  /** Leaves these addresses out of all answers, one's own names' too. */
  readonly filter?: AddressFilter
  /** Makes IPv6 addresses for names that have none, for clients behind a NAT64. */
  readonly dns64?: Dns64Options
  /** Answers that fail, for tests. {@link Resolver.faults} changes them later. */
  readonly faults?: readonly Fault[]
  /** Finds upstreams that lead back here, by sending each a query for a random name once. */
  readonly loopCheck?: boolean
  /** The most pending queries to upstreams. */
  readonly maxUnderWay?: number
  /** The time after which a further upstream is asked, in milliseconds. */
  readonly hedgeMs?: number
  /** The longest time that a client waits, in milliseconds: the guests' resolvers give up after 2 s. */
  readonly answerWithinMs?: number
  /** True when 127.0.0.1 is the machine's own: {@link inMainNamespace}. */
  readonly mainNamespace?: boolean
  /** Receives sentences for the user: a file that cannot be read, an upstream that loops. */
  readonly notice?: (text: string) => void
  readonly clock?: Clock
  /**
   * Seconds since boot, time in suspend included: TTLs go by it. Default: the machine's, or the clock's when
   * one is given.
   */
  readonly uptime?: () => number
  /** Default: sockets of this process's namespace. */
  readonly dialer?: Dialer
}

export type ResolvedOptions = Required<Omit<ResolverOptions, Optional>> & Pick<ResolverOptions, Optional>

type Optional = 'upstreams' | 'hostsFile' | 'own' | 'filter' | 'dns64' | 'upstreamCa' | 'dialer'

export function withDefaults(options: ResolverOptions): ResolvedOptions {
  return {
    resolvConf: '/etc/resolv.conf',
    zones: [],
    policy: 'sequential',
    cacheEntries: 10_000,
    cacheBytes: Math.max(32 << 20, 1024 * (options.cacheEntries ?? 0)),
    cacheTtlMax: 3000,
    staleSeconds: 86_400,
    mixedCase: false,
    rebindProtection: false,
    faults: [],
    loopCheck: true,
    maxUnderWay: 1000,
    hedgeMs: 400,
    answerWithinMs: 1900,
    mainNamespace: options.mainNamespace ?? inMainNamespace(),
    notice: () => {},
    clock: systemClock,
    uptime: options.clock ? () => options.clock!.now() / 1000 : uptime,
    ...withoutUndefined(options),
  }
}

/**
 * Removes undefined options, so that `{ policy: undefined }`, as a command gives it, does not hide the
 * default.
 */
function withoutUndefined(options: ResolverOptions): ResolverOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}
