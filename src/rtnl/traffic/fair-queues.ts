import { given, picked } from '../link/given.ts'
import type * as wire from '../wire/index.ts'
import { settingError } from './units.ts'

/** Fair queueing with pacing: a queue for each flow. Rates in bit/s, times in microseconds. */
export interface FqSettings {
  readonly kind: 'fq'
  /** Packets that can wait, in all and of one flow. */
  readonly limit?: number
  readonly flowLimit?: number
  /** Bytes that a flow sends in one round, and in its first. */
  readonly quantum?: number
  readonly initialQuantum?: number
  /** Packets leave at the rate that TCP or the socket asks for. Default: true. */
  readonly pacing?: boolean
  /** The most for one flow. */
  readonly maxRate?: number
  /** Hash buckets: a power of 2. */
  readonly buckets?: number
  readonly refillDelay?: number
  readonly orphanMask?: number
  /** Flows below this rate are paced packet by packet. */
  readonly lowRateThreshold?: number
  /** Packets that waited longer are marked (ECN). */
  readonly ceThreshold?: number
  /** Nanoseconds by which a timer may be late. */
  readonly timerSlack?: number
  /** How far ahead a packet's departure may be, and whether packets beyond are dropped or sent at the horizon. */
  readonly horizon?: number
  readonly horizonDrop?: boolean
}

/** Bands of strict priority: band 0 is empty before band 1 sends. Each band is a class, `1:1` and so on. */
export interface PrioSettings {
  readonly kind: 'prio'
  /** 2–16. Default: 3. */
  readonly bands?: number
  /** The band of each of the 16 priorities of packets (tc-prio(8)). */
  readonly map?: readonly number[]
}

/** Stochastic fairness: flows are hashed into queues that take turns. */
export interface SfqSettings {
  readonly kind: 'sfq'
  /** Bytes that a flow sends in one round. Default: the MTU. */
  readonly quantum?: number
  /** Seconds between changes of the hash. Default: 0, never. */
  readonly perturb?: number
  /** Packets that can wait, in all and of one flow. */
  readonly limit?: number
  readonly depth?: number
  readonly flows?: number
  /** Size of the hash table: a power of 2. */
  readonly divisor?: number
  /** Drops the oldest packet of a full queue instead of the newest. */
  readonly headDrop?: boolean
}

const sameFq = [
  ...(['limit', 'flowLimit', 'quantum', 'initialQuantum', 'refillDelay', 'orphanMask'] as const),
  ...(['ceThreshold', 'timerSlack', 'horizon'] as const),
]
const everyBit = 0xffffffff

const bytesPerSecond = (rate: number | undefined) =>
  rate === undefined ? undefined : Math.min(Math.floor(rate / 8), everyBit)
const numberOf = (value: boolean | undefined) => (value === undefined ? undefined : Number(value))

export function fqOptions(settings: FqSettings): wire.FqOptions {
  const { buckets } = settings
  const bucketsLog = buckets === undefined ? undefined : Math.log2(buckets)
  if (bucketsLog !== undefined && !Number.isInteger(bucketsLog))
    throw settingError('fq', `buckets: ${buckets} is not a power of 2`)
  return {
    ...picked(settings, sameFq),
    pacing: numberOf(settings.pacing),
    maxRate: bytesPerSecond(settings.maxRate),
    bucketsLog,
    lowRateThreshold: bytesPerSecond(settings.lowRateThreshold),
    horizonDrop: numberOf(settings.horizonDrop),
  }
}

export function fqSettings(options: wire.FqOptions): FqSettings {
  const { pacing, maxRate, bucketsLog, lowRateThreshold, horizonDrop } = options
  return {
    kind: 'fq',
    ...picked(options, sameFq),
    ...given({
      pacing: pacing === undefined ? undefined : pacing !== 0,
      maxRate: maxRate === undefined || maxRate === everyBit ? undefined : maxRate * 8,
      buckets: bucketsLog === undefined ? undefined : 2 ** bucketsLog,
      lowRateThreshold: lowRateThreshold === undefined ? undefined : lowRateThreshold * 8,
      horizonDrop: horizonDrop === undefined ? undefined : horizonDrop !== 0,
    }),
  }
}

/** The map of tc, which follows RFC 1349. */
const usualMap = [1, 2, 2, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]

export function prioOptions({ bands = 3, map = usualMap }: PrioSettings) {
  if (map.length !== 16 || map.some(band => !(Number.isInteger(band) && band >= 0 && band < bands)))
    throw settingError('prio', `map: has to be 16 bands, each from 0 to ${bands - 1}`)
  return { bands, map: Uint8Array.from(map) }
}

/** What RED adds to struct tc_sfq_qopt_v1: limits, logarithms, a probability and counters. */
const withoutRed = new Uint8Array(44)

export function sfqOptions(settings: SfqSettings): wire.SfqOptions {
  const { quantum = 0, perturb = 0, limit = 0, divisor = 0, flows = 0, depth = 0 } = settings
  const headDrop = settings.headDrop ? 1 : 0
  return { quantum, perturb, limit, divisor, flows, depth, headDrop, red: withoutRed }
}

export function sfqSettings({ red: _, headDrop, ...same }: wire.SfqOptions): SfqSettings {
  return { kind: 'sfq', ...given({ ...same, headDrop: headDrop === undefined ? undefined : headDrop !== 0 }) }
}
