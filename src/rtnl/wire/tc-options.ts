import {
  bytes,
  type Codec,
  i32,
  type Reader,
  struct,
  u8,
  u16,
  u32,
  u64,
  type ValueOf,
  type Writer,
} from '../../base/index.ts'
import { attributes } from '../../netlink/index.ts'

/**
 * struct tc_ratespec. `rate` is in bytes per second; when it does not fit it is all ones, and a *_RATE64
 * attribute has it.
 */
export const rateSpec = struct({
  cellLog: u8,
  linkLayer: u8,
  overhead: u16,
  cellAlign: u16,
  mpu: u16,
  rate: u32,
})

/** TCA_TBF_*. Kernels before 3.8 used the tables (`rateTable`, `peakTable`); this library omits them. */
export const tbfOptions = attributes({
  parameters: [1, struct({ rate: rateSpec, peakRate: rateSpec, limit: u32, buffer: u32, mtu: u32 })],
  rateTable: [2, bytes],
  peakTable: [3, bytes],
  rate64: [4, u64],
  peakRate64: [5, u64],
  burst: [6, u32],
  peakBurst: [7, u32],
})

/** TCA_HTB_*: `parameters` of a class, `init` of the qdisc. */
export const htbOptions = attributes({
  parameters: [
    1,
    struct({
      rate: rateSpec,
      ceil: rateSpec,
      buffer: u32,
      ceilBuffer: u32,
      quantum: u32,
      level: u32,
      priority: u32,
    }),
  ],
  init: [2, struct({ version: u32, rateToQuantum: u32, defaultClass: u32, debug: u32, directPackets: u32 })],
  ceilTable: [3, bytes],
  rateTable: [4, bytes],
  directQueueLength: [5, u32],
  rate64: [6, u64],
  ceil64: [7, u64],
})

/** TCA_FQ_CODEL_*. Times in microseconds, sizes in bytes. */
export const fqCodelOptions = attributes({
  target: [1, u32],
  limit: [2, u32],
  interval: [3, u32],
  ecn: [4, u32],
  flows: [5, u32],
  quantum: [6, u32],
  ceThreshold: [7, u32],
  dropBatchSize: [8, u32],
  memoryLimit: [9, u32],
})

/** TCA_FQ_*. Rates in bytes per second, times in microseconds. */
export const fqOptions = attributes({
  limit: [1, u32],
  flowLimit: [2, u32],
  quantum: [3, u32],
  initialQuantum: [4, u32],
  pacing: [5, u32],
  maxRate: [7, u32],
  bucketsLog: [8, u32],
  refillDelay: [9, u32],
  orphanMask: [10, u32],
  lowRateThreshold: [11, u32],
  ceThreshold: [12, u32],
  timerSlack: [13, u32],
  horizon: [14, u32],
  horizonDrop: [15, u8],
})
export type FqOptions = ValueOf<typeof fqOptions>

/** struct tc_prio_qopt: the band of each of the 16 priorities of packets. */
export const prioOptions: Codec<{ bands: number; map: Uint8Array }> = {
  write(out, { bands, map }) {
    out.u32(bands)
    out.put(map)
  },
  read: from => ({ bands: from.u32('bands'), map: from.take(16, 'map') }),
}

/** What RED adds to struct tc_sfq_qopt_v1: bytes, logarithms, a probability in units of 2^-32, and struct tc_sfqred_stats. */
const sfqRed = struct({
  ...{ limit: u32, min: u32, max: u32, averageLog: u8, probabilityLog: u8, cellLog: u8, flags: u8 },
  ...{ probability: u32, dropped: u32, forcedDrops: u32, marked: u32, forcedMarks: u32 },
  ...{ markedAtHead: u32, forcedMarksAtHead: u32 },
})
export type SfqRed = ValueOf<typeof sfqRed>

/** struct tc_sfq_qopt, and as much of struct tc_sfq_qopt_v1 as there is. */
const sfqHeader = struct({ quantum: u32, perturb: i32, limit: u32, divisor: u32, flows: u32 })
export type SfqOptions = ValueOf<typeof sfqHeader> & { depth?: number; headDrop?: number; red?: SfqRed }
export const sfqOptions: Codec<SfqOptions> = {
  write(out, value) {
    sfqHeader.write(out, value)
    if (value.red === undefined) return
    out.u32(value.depth ?? 0)
    out.u32(value.headDrop ?? 0)
    sfqRed.write(out, value.red)
  },
  read(from) {
    const header = sfqHeader.read(from)
    if (from.left < 8) return header
    const more = { depth: from.u32(), headDrop: from.u32() }
    return { ...header, ...more, ...(from.left > 0 && { red: sfqRed.read(from) }) }
  },
}

/** struct tc_fifo_qopt: packets (pfifo) or bytes (bfifo). */
export const fifoOptions = struct({ limit: u32 })

/** struct tc_netem_qopt. Times in ticks of 64 ns, shares in units of 1 / (2^32 - 1). */
const netemHeader = { latency: u32, limit: u32, loss: u32, gap: u32, duplicate: u32, jitter: u32 }
const chance = struct({ probability: u32, correlation: u32 })
const i64: Codec<bigint> = {
  write: (out, value) => out.u64(BigInt.asUintN(64, value)),
  read: from => BigInt.asIntN(64, from.u64()),
}

/** TCA_NETEM_*. `latency64` and `jitter64` in nanoseconds. */
const netemAttributes = attributes({
  correlations: [1, struct({ delay: u32, loss: u32, duplicate: u32 })],
  distribution: [2, bytes],
  reorder: [3, chance],
  corrupt: [4, chance],
  lossModel: [5, bytes],
  rate: [6, struct({ rate: u32, packetOverhead: i32, cellSize: u32, cellOverhead: i32 })],
  ecn: [7, u32],
  rate64: [8, u64],
  latency64: [10, i64],
  jitter64: [11, i64],
  slot: [12, bytes],
  seed: [14, u64],
})
const netemFixed = struct(netemHeader)
export type NetemOptions = ValueOf<typeof netemFixed> & { attributes: ValueOf<typeof netemAttributes> }

/** A struct with attributes after it in one attribute, the way of sch_netem. */
export const netemOptions: Codec<NetemOptions> = {
  write(out: Writer, value) {
    netemFixed.write(out, value)
    netemAttributes.write(out, value.attributes)
  },
  read: (from: Reader) => ({ ...netemFixed.read(from), attributes: netemAttributes.read(from) }),
}
export type TbfOptions = ValueOf<typeof tbfOptions>
export type HtbOptions = ValueOf<typeof htbOptions>
export type FqCodelOptions = ValueOf<typeof fqCodelOptions>
