import type { LinkRef } from '../operation.ts'
import type { FqSettings, PrioSettings, SfqSettings } from './fair-queues.ts'
import type { Handle } from './handle.ts'

/** Rates in bit/s, sizes in bytes, times in microseconds, shares from 0 to 1. */
export interface TbfSettings {
  readonly kind: 'tbf'
  readonly rate: number
  /** Bytes that can be sent at once: at least an MTU, and about rate / 8 / 1000. */
  readonly burst: number
  /** How long a packet may wait (µs), or how much may wait (bytes): give one of them. */
  readonly latency?: number
  readonly limit?: number
  /** The rate of the burst itself, packet by packet. Needs `mtu`, in bytes. */
  readonly peakRate?: number
  readonly mtu?: number
}

/** A hierarchical token bucket with classes. */
export interface HtbSettings {
  readonly kind: 'htb'
  /** The class of packets that no filter classifies, by its minor number: 0x10 for 1:10. Default: 0, unshaped. */
  readonly default?: number
  /** A class without `quantum` gets its rate (bytes/s) divided by this. Default: 10. */
  readonly rateToQuantum?: number
}

/** An impaired link. Rates in bit/s, times in microseconds, shares from 0 to 1. */
export interface NetemSettings {
  readonly kind: 'netem'
  readonly delay?: number
  readonly jitter?: number
  /** Correlation of each delay with the one before. */
  readonly delayCorrelation?: number
  readonly loss?: number
  readonly lossCorrelation?: number
  readonly duplicate?: number
  readonly duplicateCorrelation?: number
  /** Share of packets in which one bit is flipped. */
  readonly corrupt?: number
  readonly corruptCorrelation?: number
  /** Share of packets that are sent at once, ahead of the delayed ones. */
  readonly reorder?: number
  readonly reorderCorrelation?: number
  /** Every gap-th packet is sent at once. Default with `reorder`: 1. */
  readonly gap?: number
  readonly rate?: number
  /** Bytes added to each packet's length for `rate`; may be negative. */
  readonly overhead?: number
  /** Packets that can wait. Default: 1000. */
  readonly limit?: number
  /** Mark packets instead of dropping them. */
  readonly ecn?: boolean
  /** The same one chooses the same packets. Kernels before 6.7 ignore it; later ones list the one that they use. */
  readonly seed?: bigint
}

/** Times in microseconds. */
export interface FqCodelSettings {
  readonly kind: 'fq_codel'
  readonly target?: number
  readonly interval?: number
  /** Packets that can wait. */
  readonly limit?: number
  readonly flows?: number
  /** Bytes that one flow sends in one round. */
  readonly quantum?: number
  readonly ecn?: boolean
  /** Bytes of memory for waiting packets. */
  readonly memoryLimit?: number
}

/** First in, first out. */
export interface FifoSettings {
  readonly kind: 'pfifo' | 'bfifo'
  /** Packets (pfifo) or bytes (bfifo). Default: the length of the interface's queue. */
  readonly limit?: number
}

/** The place for filters of incoming packets. `clsact` has one for outgoing packets as well. */
export interface IngressSettings {
  readonly kind: 'ingress' | 'clsact'
}

export type QdiscSettings =
  | TbfSettings
  | HtbSettings
  | NetemSettings
  | FqCodelSettings
  | FifoSettings
  | FqSettings
  | PrioSettings
  | SfqSettings
  | IngressSettings

/** A queueing discipline to be added: its kind and its place. */
export type QdiscSpec = QdiscSettings & {
  readonly link: LinkRef
  /**
   * `root`, or a class, for a discipline inside another. Default: `root`. Ingress and clsact have a fixed
   * place.
   */
  readonly parent?: Handle
  /** Its number, `1:`. By default the kernel chooses one. */
  readonly handle?: Handle
}

/** Counters of a queueing discipline or class, and the state of its queue. */
export interface TrafficStatistics {
  readonly bytes: number
  readonly packets: number
  /** Packets and bytes that wait now. */
  readonly queued: number
  readonly backlog: number
  readonly drops: number
  readonly requeues: number
  /** How often a packet had to wait for the rate. */
  readonly overlimits: number
}

/** A queueing discipline. `settings` is there for the kinds that this library decodes. */
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
  /** Its number, `1:10`. */
  readonly id: Handle
  /** The qdisc or class above it. Default: the qdisc of its number. */
  readonly parent?: Handle
  /** The guaranteed rate. */
  readonly rate: number
  /** The rate that it may borrow up to. Default: its rate. */
  readonly ceil?: number
  /**
   * Bytes that can be sent at once, at `rate` and at `ceil`. Default: an MTU and the bytes of one
   * millisecond.
   */
  readonly burst?: number
  readonly ceilBurst?: number
  /** Order in which spare bandwidth is offered: 0, then 1 … 7. */
  readonly priority?: number
  /** Bytes that it sends in one round. */
  readonly quantum?: number
}

/** A class of an htb. */
export interface TrafficClass extends Omit<Required<ClassSpec>, 'link'> {
  readonly link: number
  /** The qdisc inside, if it is not the default one. */
  readonly leaf?: Handle
  readonly statistics?: TrafficStatistics
}
