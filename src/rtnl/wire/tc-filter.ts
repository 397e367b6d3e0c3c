import {
  be16,
  be32,
  bytes,
  type Codec,
  i32,
  struct,
  text,
  u8,
  u16,
  u32,
  u64,
  type ValueOf,
} from '../../base/index.ts'
import { attributes, growing, list, nested, when } from '../../netlink/index.ts'
import { basicStatistics, queueStatistics } from './statistics.ts'
import { rateSpec } from './tc-options.ts'

/**
 * struct tc_mirred: what happens to the packet (`action`, then `direction`), and the interface that it goes
 * to.
 */
const mirred = struct({
  index: u32,
  capabilities: u32,
  action: i32,
  references: i32,
  bindings: i32,
  direction: i32,
  link: u32,
})

/** struct tc_police. `burst` in ticks at the rate. */
const police = struct({
  ...{ index: u32, action: i32, limit: u32, burst: u32, mtu: u32, rate: rateSpec, peakRate: rateSpec },
  ...{ references: i32, bindings: i32, capabilities: u32 },
})

/** TCA_POLICE_*. Rates in bytes (or packets) per second; `rateTable` for kernels before 3.8. */
const policeOptions = attributes({
  parameters: [1, police],
  rateTable: [2, bytes],
  peakTable: [3, bytes],
  averageRate: [4, u32],
  result: [5, i32],
  times: [6, bytes],
  rate64: [8, u64],
  peakRate64: [9, u64],
  packetRate: [10, u64],
  packetBurst: [11, u64],
})

/** struct tc_gact: a verdict on packets. */
const gact = struct({ index: u32, capabilities: u32, action: i32, references: i32, bindings: i32 })

/** TCA_ACT_*. */
export const action = attributes({
  kind: [1, text],
  mirred: [2, when('kind', 'mirred', nested(attributes({ times: [1, bytes], parameters: [2, mirred] })))],
  police: [2, when('kind', 'police', nested(policeOptions))],
  gact: [2, when('kind', 'gact', nested(attributes({ times: [1, bytes], parameters: [2, gact] })))],
  options: [2, bytes],
  index: [3, u32],
  statistics: [
    4,
    nested(
      attributes({
        basic: [1, growing(basicStatistics)],
        queue: [3, growing(queueStatistics)],
        hardware: [7, bytes],
      }),
    ),
  ],
  flags: [7, bytes],
  hardware: [8, bytes],
  inHardware: [10, u32],
  usedHardware: [9, bytes],
})
export type ActionAttributes = ValueOf<typeof action>

/** struct tc_u32_key: `(packet[offset] & mask) == value`, counted from the network header. */
const key = struct({ mask: be32, value: be32, offset: i32, offsetMask: i32 })
export type U32Key = ValueOf<typeof key>

const selectorHeader = struct({
  flags: u8,
  offsetShift: u8,
  keyCount: u8,
  pad: u8,
  offsetMask: be16,
  offset: u16,
  offsetOffset: u16,
  hashOffset: u16,
  hashMask: be32,
})
export interface U32Selector extends Omit<ValueOf<typeof selectorHeader>, 'keyCount' | 'pad'> {
  keys: U32Key[]
}

/** struct tc_u32_sel, with its keys after it. */
const selector: Codec<U32Selector> = {
  write(out, { keys, ...rest }) {
    selectorHeader.write(out, { ...rest, keyCount: keys.length, pad: 0 })
    for (const one of keys) key.write(out, one)
  },
  read(from) {
    const { keyCount, pad: _, ...rest } = selectorHeader.read(from)
    return { ...rest, keys: Array.from({ length: keyCount }, () => key.read(from)) }
  },
}

/** TCA_U32_*. */
export const u32Options = attributes({
  classId: [1, u32],
  hash: [2, u32],
  link: [3, u32],
  divisor: [4, u32],
  selector: [5, selector],
  actions: [7, list(action)],
  counters: [9, bytes],
  flags: [11, u32],
})

/** TCA_MATCHALL_*. */
export const matchallOptions = attributes({
  classId: [1, u32],
  actions: [2, list(action)],
  flags: [3, u32],
  counters: [4, bytes],
})
