import { given, picked } from '../link/given.ts'
import type * as wire from '../wire/index.ts'
import { settingError, shareOf, shareText } from './units.ts'

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
  /** Drops or marks packets of a flow before its queue is full (random early detection). */
  readonly red?: SfqRed
}

/** Sizes in bytes of one flow's queue. */
export interface SfqRed {
  readonly limit: number
  /** Below `min` nothing is dropped, above `max` everything. Default: a quarter of the limit, and a third of that. */
  readonly min?: number
  readonly max?: number
  /** The share that is dropped at `max`. Default: 0.02. */
  readonly probability?: number
  /** How fast the average follows the queue: by the size of packets and the length of a burst in packets. */
  readonly averagePacket?: number
  readonly burst?: number
  /** The same as the kernel has it: the average changes by 2^-n of a change. Default: of `burst` and `averagePacket`. */
  readonly averageLog?: number
  /** Marks packets instead of dropping them. */
  readonly ecn?: boolean
  /** Drops packets of flows that do not react to marks. */
  readonly hardDrop?: boolean
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

const fresh = {
  ...{ dropped: 0, forcedDrops: 0, marked: 0, forcedMarks: 0, markedAtHead: 0, forcedMarksAtHead: 0 },
}
const withoutRed: wire.SfqRed = {
  ...{ limit: 0, min: 0, max: 0, averageLog: 0, probabilityLog: 0, cellLog: 0, flags: 0, probability: 0 },
  ...fresh,
}
/** TC_RED_ECN, TC_RED_HARDDROP. */
const redFlags = { ecn: 1, hardDrop: 2 } as const

/** As tc computes it (tc/q_sfq.c), by Sally Floyd's recommendations. */
function redOptions(red: SfqRed): wire.SfqRed {
  const { limit, max = Math.floor(limit / 4), min = Math.floor(max / 3), probability = 0.02 } = red
  const { averagePacket = 1000, burst = Math.floor((2 * min + max) / (3 * averagePacket)) } = red
  if (!(min < max && max <= limit))
    throw settingError('sfq', `red: needs min < max ≤ limit, not ${min}, ${max} and ${limit}`)
  const share = shareOf('sfq red.probability', probability)
  return {
    ...{ limit, min, max, cellLog: 0 },
    averageLog: red.averageLog ?? averageLogOf(burst + 1 - min / averagePacket, burst),
    probabilityLog: probabilityLogOf(probability / (max - min)),
    flags: (red.ecn ? redFlags.ecn : 0) | (red.hardDrop ? redFlags.hardDrop : 0),
    probability: share === 0xffffffff ? share : Math.floor(probability * 2 ** 32),
    ...fresh,
  }
}

/** tc/tc_red.c, tc_red_eval_ewma. */
function averageLogOf(wanted: number, burst: number): number {
  for (let log = 1, weight = 0.5; wanted >= 1 && log < 32; log++, weight /= 2)
    if (wanted <= (1 - (1 - weight) ** burst) / weight) return log
  throw settingError('sfq', 'red: burst is too small or too large for min and averagePacket')
}

/** tc/tc_red.c, tc_red_eval_P. */
function probabilityLogOf(perByte: number): number {
  let [log, share] = [0, perByte]
  while (log < 32 && share <= 1) {
    share *= 2
    log++
  }
  if (log < 32) return log
  throw settingError('sfq', 'red: probability is too small for the range from min to max')
}

function redFrom({ limit, min, max, averageLog, flags, probability }: wire.SfqRed): SfqRed | undefined {
  if (limit === 0) return undefined
  return {
    ...{ limit, min, max, averageLog, probability: shareText(probability) },
    ...{ ecn: (flags & redFlags.ecn) !== 0, hardDrop: (flags & redFlags.hardDrop) !== 0 },
  }
}

export function sfqOptions(settings: SfqSettings): wire.SfqOptions {
  const { quantum = 0, perturb = 0, limit = 0, divisor = 0, flows = 0, depth = 0 } = settings
  const headDrop = settings.headDrop ? 1 : 0
  return {
    quantum,
    perturb,
    limit,
    divisor,
    flows,
    depth,
    headDrop,
    red: settings.red ? redOptions(settings.red) : withoutRed,
  }
}

export function sfqSettings({ red, headDrop, ...same }: wire.SfqOptions): SfqSettings {
  const head = headDrop === undefined ? undefined : headDrop !== 0
  return { kind: 'sfq', ...given({ ...same, headDrop: head, red: red && redFrom(red) }) }
}
