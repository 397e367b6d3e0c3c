import type { LinkRef } from '../operation.ts'
import type { Handle } from './handle.ts'

/** Rates in bit/s, sizes in bytes, times in microseconds, shares from 0 to 1. */
export interface TbfSettings {
  readonly kind: 'tbf'
  readonly rate: number
  /** Bytes that may go at once: at least an MTU, and rate / 8 / 1000 or so. */
  readonly burst: number
  /** How long a packet may wait (µs), or how much may wait (bytes): one of them. */
  readonly latency?: number
  readonly limit?: number
  /** The rate that the burst itself goes at, packet by packet; with `mtu`, in bytes. */
  readonly peakRate?: number
  readonly mtu?: number
}

/** A hierarchy of token buckets: it has classes. */
export interface HtbSettings {
  readonly kind: 'htb'
  /** The class for what no filter classifies, its minor number: 0x10 for 1:10. 0, the default: unshaped. */
  readonly default?: number
  /** A class that has no `quantum` gets its rate (bytes/s) divided by this: 10 unless given. */
  readonly rateToQuantum?: number
}

/** An impaired link. Rates in bit/s, times in microseconds, shares from 0 to 1. */
export interface NetemSettings {
  readonly kind: 'netem'
  readonly delay?: number
  readonly jitter?: number
  /** How much one delay is like the one before. */
  readonly delayCorrelation?: number
  readonly loss?: number
  readonly lossCorrelation?: number
  readonly duplicate?: number
  readonly duplicateCorrelation?: number
  /** Share of packets with one bit flipped. */
  readonly corrupt?: number
  readonly corruptCorrelation?: number
  /** Share of packets that are sent at once, past the delayed ones. */
  readonly reorder?: number
  readonly reorderCorrelation?: number
  /** Every how many packets one is sent at once. 1 unless given, with `reorder`. */
  readonly gap?: number
  readonly rate?: number
  /** Bytes that each packet has besides, for `rate`; may be negative. */
  readonly overhead?: number
  /** Packets that may wait: 1000 unless given. */
  readonly limit?: number
  /** Mark instead of dropping. */
  readonly ecn?: boolean
}

/** Times in microseconds. */
export interface FqCodelSettings {
  readonly kind: 'fq_codel'
  readonly target?: number
  readonly interval?: number
  /** Packets that may wait. */
  readonly limit?: number
  readonly flows?: number
  /** Bytes. */
  readonly quantum?: number
  readonly ecn?: boolean
  /** Bytes. */
  readonly memoryLimit?: number
}

/** First in, first out. */
export interface FifoSettings {
  readonly kind: 'pfifo' | 'bfifo'
  /** Packets (pfifo) or bytes (bfifo): as many as the interface's queue unless given. */
  readonly limit?: number
}

/** Where filters for incoming packets hang. `clsact` has a place for outgoing ones as well. */
export interface IngressSettings {
  readonly kind: 'ingress' | 'clsact'
}

export type QdiscSettings =
  | TbfSettings
  | HtbSettings
  | NetemSettings
  | FqCodelSettings
  | FifoSettings
  | IngressSettings

/** A queueing discipline to be: which kind, and where. */
export type QdiscSpec = QdiscSettings & {
  readonly link: LinkRef
  /** `root` unless given; a class, for a discipline inside another. Ingress and clsact have their own place. */
  readonly parent?: Handle
  /** Its own number, `1:`; the kernel chooses one unless given. */
  readonly handle?: Handle
}

/** What went through, and what waits. */
export interface TrafficStatistics {
  readonly bytes: number
  readonly packets: number
  /** Packets and bytes that wait now. */
  readonly queued: number
  readonly backlog: number
  readonly drops: number
  readonly requeues: number
  /** How often something had to wait for the rate. */
  readonly overlimits: number
}

/** A queueing discipline as it is; `settings` for the kinds we know. */
export interface Qdisc {
  /** Index of the interface. */
  readonly link: number
  readonly kind: string
  readonly handle: Handle
  readonly parent: Handle
  readonly settings?: QdiscSettings
  readonly statistics?: TrafficStatistics
}

/** A class of an htb. Rates in bit/s, sizes in bytes. */
export interface ClassSpec {
  readonly link: LinkRef
  /** Its own number, `1:10`. */
  readonly id: Handle
  /** The qdisc or class above; the qdisc of its number unless given. */
  readonly parent?: Handle
  /** What it has for sure. */
  readonly rate: number
  /** What it may have when others leave some over: its rate unless given. */
  readonly ceil?: number
  /** Bytes that may go at once, at rate and at ceil: an MTU and what goes in a millisecond, unless given. */
  readonly burst?: number
  readonly ceilBurst?: number
  /** Who is offered first what is left over: 0, then 1 … 7. */
  readonly priority?: number
  /** Bytes that go in one turn. */
  readonly quantum?: number
}

/** A class as it is. */
export interface TrafficClass extends Omit<Required<ClassSpec>, 'link'> {
  readonly link: number
  /** The qdisc inside, if it is not the default one. */
  readonly leaf?: Handle
  readonly statistics?: TrafficStatistics
}
