import { NetlinkError } from '../../netlink/index.ts'

/**
 * Where traffic control counts time in ticks, a tick is 64 ns on every machine since Linux 2.6.31
 * (PSCHED_SHIFT 6, include/net/pkt_sched.h; the second number in /proc/net/psched).
 */
const tick = 64

/** Microseconds in ticks, rounded up. */
export function ticksOf(microseconds: number): number {
  return Math.ceil(Math.round(microseconds * 1000) / tick)
}

/** The transmission time of `bytes` at `rate` (bit/s) in ticks, which is how token buckets measure sizes. */
export function transmitTicks(bytes: number, rate: number): number {
  return Math.ceil(((bytes * 8) / rate) * (1e9 / tick))
}

/** The bytes sent in `ticks` at `rate` (bit/s). */
export function bytesIn(ticks: number, rate: number): number {
  return Math.round((ticks * tick * rate) / 8e9)
}

export const microsecondsOf = (ticks: number) => (ticks * tick) / 1000

/** A share of 0 to 1 in the kernel's scale, 0 to 2^32 - 1. */
export function shareOf(name: string, share: number): number {
  if (share >= 0 && share <= 1) return Math.round(share * 0xffffffff)
  throw settingError(name, `${share} is not a share from 0 to 1 (5 % is 0.05)`)
}

/** Rounded to six places, which is more than 32 bits of a small share can hold. */
export const shareText = (value: number) => Math.round((value / 0xffffffff) * 1e6) / 1e6

export function settingError(target: string, reason: string): NetlinkError {
  return new NetlinkError({ code: 'QDISC_SETTING', kind: 'usage', op: 'encode setting', target, reason })
}

const everyBit = 0xffffffff

/** struct tc_ratespec of a rate in bit/s. From 34 Gbit/s on the rate is in a 64-bit attribute. */
export function rateSpec(name: string, rate: number | undefined, linkLayer: number) {
  if (rate === undefined) return { ...unlimited, linkLayer: 0 }
  if (!(rate >= 8)) throw settingError(name, `${rate} bit/s is below the smallest rate, 8 bit/s`)
  return { ...unlimited, linkLayer, rate: Math.min(Math.floor(rate / 8), everyBit) }
}

const unlimited = { cellLog: 0, linkLayer: 0, overhead: 0, cellAlign: 0, mpu: 0, rate: 0 }

export function rate64(rate: number | undefined): bigint | undefined {
  return rate !== undefined && rate / 8 >= everyBit ? BigInt(Math.floor(rate / 8)) : undefined
}

/** bit/s from the kernel's rate in bytes per second. */
export function bitsOf(rate: number, wide: bigint | undefined): number {
  return Number(wide ?? rate) * 8
}
