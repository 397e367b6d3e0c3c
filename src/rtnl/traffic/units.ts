import { NetlinkError } from '../../netlink/index.ts'

/**
 * Where traffic control counts time in ticks, one is 64 ns (PSCHED_SHIFT 6, include/net/pkt_sched.h; the second
 * number in /proc/net/psched): since Linux 2.6.31, on every machine.
 */
const tick = 64

/** Microseconds as ticks, at least as long. */
export function ticksOf(microseconds: number): number {
  return Math.ceil(Math.round(microseconds * 1000) / tick)
}

/** How long so many bytes take, in ticks: what token buckets have for a size. */
export function transmitTicks(bytes: number, rate: number): number {
  return Math.ceil(((bytes * 8) / rate) * (1e9 / tick))
}

/** The bytes that go in so many ticks. */
export function bytesIn(ticks: number, rate: number): number {
  return Math.round((ticks * tick * rate) / 8e9)
}

export const microsecondsOf = (ticks: number) => (ticks * tick) / 1000

/** A share of 0 to 1 as the kernel has it, of 2^32 - 1. */
export function shareOf(name: string, share: number): number {
  if (share >= 0 && share <= 1) return Math.round(share * 0xffffffff)
  throw settingError(name, `${share} is no share of 0 to 1 (5 % is 0.05)`)
}

/** To six places, which is more than 32 bits of a small share can hold. */
export const shareText = (value: number) => Math.round((value / 0xffffffff) * 1e6) / 1e6

export function settingError(target: string, reason: string): NetlinkError {
  return new NetlinkError({ code: 'QDISC_SETTING', kind: 'usage', op: 'encode setting', target, reason })
}

const everyBit = 0xffffffff

/** struct tc_ratespec of so many bit/s; from 34 Gbit/s on the number stands in an attribute of 64 bits. */
export function rateSpec(name: string, rate: number | undefined, linkLayer: number) {
  if (rate === undefined) return { ...unlimited, linkLayer: 0 }
  if (!(rate >= 8)) throw settingError(name, `${rate} bit/s is no rate`)
  return { ...unlimited, linkLayer, rate: Math.min(Math.floor(rate / 8), everyBit) }
}

const unlimited = { cellLog: 0, linkLayer: 0, overhead: 0, cellAlign: 0, mpu: 0, rate: 0 }

export function rate64(rate: number | undefined): bigint | undefined {
  return rate !== undefined && rate / 8 >= everyBit ? BigInt(Math.floor(rate / 8)) : undefined
}

/** bit/s of what the kernel says, in bytes a second. */
export function bitsOf(rate: number, wide: bigint | undefined): number {
  return Number(wide ?? rate) * 8
}
