import { type Codec, struct, u32, type ValueOf } from '../../base/index.ts'

/** 64 bits as a number, which is exact up to 2^53: years of any traffic. */
export const count: Codec<number> = {
  write: (out, value) => out.u64(BigInt(value)),
  read: from => Number(from.u64()),
}

/** struct rtnl_link_stats64 up to `rxNoHandler` (Linux 4.6). Newer kernels extend it. */
export const linkStatistics = struct({
  rxPackets: count,
  txPackets: count,
  rxBytes: count,
  txBytes: count,
  rxErrors: count,
  txErrors: count,
  rxDropped: count,
  txDropped: count,
  multicast: count,
  collisions: count,
  rxLengthErrors: count,
  rxOverErrors: count,
  rxCrcErrors: count,
  rxFrameErrors: count,
  rxFifoErrors: count,
  rxMissedErrors: count,
  txAbortedErrors: count,
  txCarrierErrors: count,
  txFifoErrors: count,
  txHeartbeatErrors: count,
  txWindowErrors: count,
  rxCompressed: count,
  txCompressed: count,
  rxNoHandler: count,
})
export type LinkStatistics = ValueOf<typeof linkStatistics>

/** struct gnet_stats_basic, _queue and _rate_est64, the contents of TCA_STATS2. */
export const basicStatistics = struct({ bytes: count, packets: u32, pad: u32 })
export const queueStatistics = struct({
  length: u32,
  backlog: u32,
  drops: u32,
  requeues: u32,
  overlimits: u32,
})
export const rateStatistics = struct({ bytesPerSecond: count, packetsPerSecond: count })
