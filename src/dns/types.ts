/** How a question came in; decides what size its answer may have. */
export type Transport = 'udp' | 'tcp'

/** Where a question came from. A server may keep one such object and change what its getters say. */
export interface Asker {
  readonly transport: Transport
  readonly address: string
  readonly port: number
}

/** A part of a larger buffer. A server keeps one for questions and one for answers, and moves them along a batch. */
export interface BufferView {
  bytes: Buffer
  at: number
  /** Of a question: its bytes. Of an answer: the room there is. */
  length: number
}

/** Nothing is to be sent: {@link Resolver.answerNow}. */
export const drop = 0
/** Not to be had at once: call {@link Resolver.resolve} with a copy of the question. */
export const later = -1

/** What answered: the cache, a stale entry of it, own names and hosts files, an upstream, or a rule (all errors). */
export type AnswerSource = 'cache' | 'stale' | 'own' | 'upstream' | 'rule'

/** One question and its answer, for logs and tests. Both stretches are views, valid only during the call. */
export interface Answered {
  readonly query: Uint8Array
  readonly answer: Uint8Array
  readonly asker: Asker
  readonly source: AnswerSource
  /** From the call of `resolve` to its answer; 0 for what was answered at once. */
  readonly ms: number
}

/** Only ever growing; read them when a metric is asked for. */
export interface Counters {
  /** Questions, each once: by whichever of `answerNow` and `resolve` answered or dropped it. */
  questions: number
  dropped: number
  /** Refused by a rule: malformed, unknown opcode, zone transfers, … */
  rejected: number
  own: number
  hits: number
  misses: number
  /** Answers past their time because no upstream gave a new one (RFC 8767). */
  stale: number
  prefetches: number
  /** Questions that waited for the same one in flight. */
  merged: number
  /** Failures of ours: no upstream in time, too much going on, an answer refused by rebind protection. */
  failures: number
  evictions: number
}

/** One upstream as it stands. */
export interface UpstreamStatus {
  /** `192.0.2.1:53`, `[fe80::1%eth0]:53`. */
  readonly name: string
  /** The domain it is for; `.` for everything else. */
  readonly zone: string
  readonly healthy: boolean
  /** It leads back to this very forwarder, and is asked no more until a reload. */
  readonly loops: boolean
  /** Smoothed round trip, in milliseconds; undefined before the first answer. */
  readonly rttMs: number | undefined
  readonly queries: number
  readonly answers: number
  readonly timeouts: number
  /** Answers that were not to our question: forged, late or garbled. */
  readonly wrong: number
  /** Questions asked (again) over TCP. */
  readonly overTcp: number
}

/** A name and its addresses: a node of the cluster, or a name to spoof (`*.example.org`: all below it). */
export interface Host {
  readonly name: string
  readonly addresses: readonly string[]
}

/** The names that are ours. */
export interface OwnHosts {
  /** The first name with an address is the one its PTR says. */
  readonly hosts: readonly Host[]
  /** Names that nobody else knows: one that fits and is not in `hosts` does not exist. */
  readonly ours?: RegExp
  /** Networks whose reverse names nobody else knows: `192.168.0.0/24`. */
  readonly nets?: readonly string[]
}

/** The forwarder: questions in, answers out; no socket of its own towards those who ask. */
export interface Resolver extends AsyncDisposable {
  /**
   * The hot path: an answer out of the cache, own names or an error by rule, at once, written at `into.at`. Gives
   * its length, {@link drop} or {@link later}. Neither `query` nor `into` is kept.
   */
  answerNow(query: BufferView, asker: Asker, into: BufferView): number
  /**
   * Any question, also those `answerNow` would answer. Gives the bytes to send, already limited and truncated for
   * the asker, or undefined for none; within 1.9 s. Never rejects. Keeps `query` and
   * `asker` until then.
   */
  resolve(query: Uint8Array, asker: Asker): Promise<Uint8Array | undefined>
  /** Called for each answer while it is set; costs nothing while it is not. */
  onAnswer: ((answered: Answered) => void) | undefined
  readonly counters: Readonly<Counters>
  /** Entries and bytes in the cache. */
  readonly cached: { readonly entries: number; readonly bytes: number }
  upstreams(): UpstreamStatus[]
  /** Replaces the cluster's own names; the hosts file stays. */
  setHosts(own: OwnHosts): void
  /** Reads resolv.conf and the hosts file again, and gives every upstream another chance. */
  reload(): void
  close(): Promise<void>
}
