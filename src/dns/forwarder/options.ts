import { type Clock, systemClock } from '../../base/index.ts'
import { inMainNamespace } from '../upstream/conf/conf-file.ts'
import type { Policy } from '../upstream/group.ts'
import { type Dialer, systemDialer } from '../upstream/transport/sockets.ts'

/** The name servers of a domain and everything below it. */
export interface Zone {
  readonly domain: string
  readonly upstreams: readonly string[]
}

export interface ResolverOptions {
  /** The resolv.conf(5) to follow when `upstreams` is not given. Default: /etc/resolv.conf. */
  readonly resolvConf?: string
  /** Name servers, as `192.0.2.1`, `[2001:db8::1]:5353`. With an empty list only local names are answered. */
  readonly upstreams?: readonly string[]
  readonly zones?: readonly Zone[]
  readonly policy?: Policy
  /** A file in the format of /etc/hosts. */
  readonly hostsFile?: string
  readonly cacheEntries?: number
  readonly cacheBytes?: number
  /** The longest time that an answer is cached, in seconds. Longer TTLs are lowered to it. */
  readonly cacheTtlMax?: number
  /** How long answers are kept after their TTL, for when no upstream answers, in seconds. 0 turns it off. */
  readonly staleSeconds?: number
  /** Sends names with random capitals (0x20): harder to forge, but some servers do not support it. */
  readonly mixedCase?: boolean
  /** Refuses answers of upstreams with private addresses. */
  readonly rebindProtection?: boolean
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
  readonly dialer?: Dialer
}

export type ResolvedOptions = Required<Omit<ResolverOptions, 'upstreams' | 'hostsFile'>> &
  Pick<ResolverOptions, 'upstreams' | 'hostsFile'>

export function withDefaults(options: ResolverOptions): ResolvedOptions {
  return {
    resolvConf: '/etc/resolv.conf',
    zones: [],
    policy: 'sequential',
    cacheEntries: 10_000,
    cacheBytes: 32 * 1024 * 1024,
    cacheTtlMax: 3000,
    staleSeconds: 86_400,
    mixedCase: false,
    rebindProtection: false,
    loopCheck: true,
    maxUnderWay: 1000,
    hedgeMs: 400,
    answerWithinMs: 1900,
    mainNamespace: options.mainNamespace ?? inMainNamespace(),
    notice: () => {},
    clock: systemClock,
    dialer: systemDialer,
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
