import { type Clock, systemClock } from '../../base/index.ts'
import { inMainNamespace } from '../upstream/conf/conf-file.ts'
import type { Policy } from '../upstream/group.ts'
import { type Dialer, systemDialer } from '../upstream/transport/sockets.ts'

/** Servers for a domain and all below it. */
export interface Zone {
  readonly domain: string
  readonly upstreams: readonly string[]
}

export interface ResolverOptions {
  /** The resolv.conf(5) to follow, unless `upstreams` are given: /etc/resolv.conf. */
  readonly resolvConf?: string
  /** Servers to ask, as `192.0.2.1`, `[2001:db8::1]:5353`; none: only names known here are answered. */
  readonly upstreams?: readonly string[]
  readonly zones?: readonly Zone[]
  readonly policy?: Policy
  /** A file like /etc/hosts. */
  readonly hostsFile?: string
  readonly cacheEntries?: number
  readonly cacheBytes?: number
  /** The longest that an answer is kept, in seconds; longer TTLs are lowered to it. */
  readonly cacheTtlMax?: number
  /** How long answers past their time are kept for when no upstream answers, in seconds; 0: not at all. */
  readonly staleSeconds?: number
  /** Questions with random capitals (0x20): harder to forge, and some servers do not like it. */
  readonly mixedCase?: boolean
  /** Refuses answers of upstreams that name private addresses. */
  readonly rebindProtection?: boolean
  /** Finds upstreams that lead back here by asking each for a random name once. */
  readonly loopCheck?: boolean
  /** Questions under way to upstreams at once. */
  readonly maxUnderWay?: number
  /** When to ask somebody else too, in milliseconds. */
  readonly hedgeMs?: number
  /** The longest an asker waits, in milliseconds: those in the guests give up after 2 s. */
  readonly answerWithinMs?: number
  /** Whether 127.0.0.1 is the machine's own: {@link inMainNamespace}. */
  readonly mainNamespace?: boolean
  /** Sentences for the user: a file that cannot be read, an upstream that loops. */
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

/** So that `{ policy: undefined }`, as options of a command come, does not hide what is usual. */
function withoutUndefined(options: ResolverOptions): ResolverOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}
