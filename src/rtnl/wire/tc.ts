import { bytes, i32, text, u8, u16, u32 } from '../../base/index.ts'
import { attributes, growing, message, when } from '../../netlink/index.ts'
import { basicStatistics, count, queueStatistics, rateStatistics } from './statistics.ts'
import { matchallOptions, u32Options } from './tc-filter.ts'
import { flowerOptions } from './tc-flower.ts'
import {
  fifoOptions,
  fqCodelOptions,
  fqOptions,
  htbOptions,
  netemOptions,
  prioOptions,
  sfqOptions,
  tbfOptions,
} from './tc-options.ts'

/** TCA_STATS2. */
const statistics = attributes({
  basic: [1, growing(basicStatistics)],
  queue: [3, growing(queueStatistics)],
  own: [4, bytes],
  rate: [5, growing(rateStatistics)],
  hardware: [7, bytes],
  packets: [8, count],
})

/** TCA_*. The kind decides how `options` after it are read. */
const trafficAttributes = attributes({
  kind: [1, text],
  tbf: [2, when('kind', 'tbf', tbfOptions)],
  htb: [2, when('kind', 'htb', htbOptions)],
  netem: [2, when('kind', 'netem', netemOptions)],
  fq_codel: [2, when('kind', 'fq_codel', fqCodelOptions)],
  fq: [2, when('kind', 'fq', fqOptions)],
  prio: [2, when('kind', 'prio', growing(prioOptions))],
  sfq: [2, when('kind', 'sfq', sfqOptions)],
  pfifo: [2, when('kind', 'pfifo', fifoOptions)],
  bfifo: [2, when('kind', 'bfifo', fifoOptions)],
  u32: [2, when('kind', 'u32', u32Options)],
  matchall: [2, when('kind', 'matchall', matchallOptions)],
  flower: [2, when('kind', 'flower', flowerOptions)],
  options: [2, bytes],
  oldStatistics: [3, bytes],
  ownStatistics: [4, bytes],
  statistics: [7, statistics],
  chain: [11, u32],
  hardware: [12, u8],
  ingressBlock: [13, u32],
  egressBlock: [14, u32],
})

/** struct tcmsg and TCA_*: RTM_{NEW,DEL,GET}{QDISC,TCLASS,TFILTER}. */
export const trafficMessage = message(
  { family: u8, pad: u8, pad2: u16, index: i32, handle: u32, parent: u32, info: u32 },
  trafficAttributes,
)
export type TrafficMessage = ReturnType<typeof trafficMessage.read>
export type TrafficAttributes = TrafficMessage['attributes']
