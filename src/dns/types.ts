import type { FaultRules } from './tailor/faults.ts'

/** The transport of a query. It decides how long its answer may be. */
export type Transport = 'udp' | 'tcp'

/** The client of a query. A server may reuse one such object and change what its getters return. */
export interface Asker {
  readonly transport: Transport
  readonly address: string
  readonly port: number
}

/**
 * A part of a larger buffer. A server keeps one for queries and one for answers, and moves them along a
 * batch.
 */
export interface BufferView {
  bytes: Buffer
  at: number
  /** For a query: its size. For an answer: the room for it. In bytes. */
  length: number
}

/** Result of {@link Resolver.answerNow}: nothing is to be sent. */
export const drop = 0
/**
 * Result of {@link Resolver.answerNow}: the answer takes time. Call {@link Resolver.answerLater} with a copy of
 * the query, or {@link Resolver.resolve}.
 */
export const later = -1

/**
 * The source of an answer: the cache, a stale entry of it, own names and hosts files, an upstream, or a rule
 * (all errors).
 */
export type AnswerSource = 'cache' | 'stale' | 'own' | 'upstream' | 'rule'

/** A query and its answer, for logs and tests. Both are views, valid only during the call. */
export interface Answered {
  readonly query: Uint8Array
  readonly answer: Uint8Array
  readonly asker: Asker
  readonly source: AnswerSource
  /** The time from the call of `resolve` to its answer, in milliseconds; 0 for an immediate answer. */
  readonly ms: number
}

/** Counters that only grow. Read them when metrics are needed. */
export interface Counters {
  /** Queries, each counted once: by `answerNow` or `resolve`, whichever answered or dropped it. */
  questions: number
  dropped: number
  /** Answered by rule: malformed, unknown opcode, zone transfers, … */
  rejected: number
  own: number
  hits: number
  misses: number
  /** Stale answers, served because no upstream gave a new one (RFC 8767). */
  stale: number
  prefetches: number
  /** Queries that waited for an equal one in flight. */
  merged: number
  /**
   * Failures of this forwarder: no upstream in time, too many pending queries, an answer refused by rebind
   * protection.
   */
  failures: number
  evictions: number
}

/** The state of one upstream. */
export interface UpstreamStatus {
  /** `192.0.2.1:53`, `[fe80::1%eth0]:53`. */
  readonly name: string
  /** The domain that it serves; `.` for all others. */
  readonly zone: string
  readonly healthy: boolean
  /** It leads back to this forwarder, and is not asked until a reload. */
  readonly loops: boolean
  /** Smoothed round-trip time, in milliseconds; undefined before the first answer. */
  readonly rttMs: number | undefined
  readonly queries: number
  readonly answers: number
  readonly timeouts: number
  /** Answers that do not match a query: forged, late or malformed. */
  readonly wrong: number
  /** Queries sent (again) over TCP. */
  readonly overTcp: number
}

/** A name and its addresses: a node of the cluster, or a name to spoof (`*.example.org`: everything below it). */
export interface Host {
  readonly name: string
  readonly addresses: readonly string[]
}

/** A record of one's own, with data as in a zone file. */
export interface OwnEntry {
  /** `www.lab.test`; `*.lab.test` for every name below; an address for its reverse name. */
  readonly name: string
  /** `SRV`, `TYPE65280`. */
  readonly type: string
  /** `0 5 80 www.lab.test`, `\# 4 0a000001` for any type (RFC 3597 §5). Names in it are full ones. */
  readonly data: string
  /** In seconds. Default: 5. */
  readonly ttl?: number
  /**
   * The networks and addresses that it is for: `192.168.0.1/32`. For those, such records take the place of all other
   * data of the name. Default: all.
   */
  readonly askers?: readonly string[]
}

/** The names that this forwarder answers itself. */
export interface OwnHosts {
  /** The first name with an address is the name of its PTR record. */
  readonly hosts: readonly Host[]
  /** Records of any type. Those with addresses give their PTR records too. */
  readonly records?: readonly OwnEntry[]
  /** Names that exist nowhere else: one that matches and is not in `hosts` does not exist. */
  readonly ours?: RegExp
  /** Networks whose reverse names exist nowhere else: `192.168.0.0/24`. */
  readonly nets?: readonly string[]
  /**
   * Domains whose names exist nowhere else: `lab.test`. For names below a zone that has servers of its own,
   * those are asked.
   */
  readonly domains?: readonly string[]
}

/** Takes an answer that took time. */
export interface LateAnswer {
  /** The bytes to send, valid during the call; undefined for none. */
  answered(answer: BufferView | undefined): void
  /** A bug here cost the query its answer. */
  failed(bug: unknown): void
}

/** The forwarder: it turns queries into answers. It has no sockets towards its clients. */
export interface Resolver extends AsyncDisposable {
  /**
   * The hot path: an immediate answer from the cache, own names or a rule, written at `into.at`. Returns its
   * length in bytes, {@link drop} or {@link later}. It keeps neither `query` nor `into`.
   */
  answerNow(query: BufferView, asker: Asker, into: BufferView): number
  /**
   * Goes on with the query for which `answerNow` has just returned {@link later}. It keeps `query`, a copy, and
   * `asker` until it tells `late`, within 1.9 s, once.
   */
  answerLater(query: Readonly<BufferView>, asker: Asker, late: LateAnswer): void
  /**
   * Resolves any query, including those that `answerNow` would answer. The result is the bytes to send,
   * already limited and truncated for the client, or undefined for none; within 1.9 s. Never rejects. It
   * keeps `query` and `asker` until then.
   */
  resolve(query: Uint8Array, asker: Asker): Promise<Uint8Array | undefined>
  /** Called for each answer while it is set; unset it costs nothing. */
  onAnswer: ((answered: Answered) => void) | undefined
  readonly counters: Readonly<Counters>
  /** Entries and bytes in the cache. */
  readonly cached: { readonly entries: number; readonly bytes: number }
  upstreams(): UpstreamStatus[]
  /** The answers that fail, for tests. */
  readonly faults: FaultRules
  /** Replaces the cluster's own names. Those of the hosts file stay. */
  setHosts(own: OwnHosts): void
  /**
   * Reads resolv.conf and the hosts file again, and forgets what is known of every upstream. A large hosts
   * file is read while queries are answered, from its earlier names.
   */
  reload(): Promise<void>
  close(): Promise<void>
}
