import * as wire from '../wire/index.ts'
import { fqOptions, prioOptions, sfqOptions } from './fair-queues.ts'
import type * as spec from './qdisc-spec.ts'
import { rate64, rateSpec, settingError, shareOf, ticksOf, transmitTicks } from './units.ts'

type Kind = spec.QdiscSettings['kind']
type Of<K extends Kind> = Extract<spec.QdiscSettings, { kind: K }>

const writers: { readonly [K in Kind]: (settings: Of<K>) => wire.TrafficAttributes } = {
  tbf: settings => ({ tbf: tbfOptions(settings) }),
  htb: settings => ({ htb: { init: htbInit(settings) } }),
  netem: settings => ({ netem: netemOptions(settings) }),
  fq_codel: settings => ({ fq_codel: fqCodelOptions(settings) }),
  fq: settings => ({ fq: fqOptions(settings) }),
  prio: settings => ({ prio: prioOptions(settings) }),
  sfq: settings => ({ sfq: sfqOptions(settings) }),
  pfifo: fifoOptions,
  bfifo: fifoOptions,
  ingress: () => ({}),
  clsact: () => ({}),
}
export const qdiscKinds = Object.keys(writers)

/** TCA_OPTIONS of a qdisc, by its kind. */
export function optionsOf(settings: spec.QdiscSettings): wire.TrafficAttributes {
  return (writers[settings.kind] as (settings: spec.QdiscSettings) => wire.TrafficAttributes)(settings)
}

function fifoOptions({ kind, limit }: spec.FifoSettings): wire.TrafficAttributes {
  return limit === undefined ? {} : { [kind]: { limit } }
}

const layer = wire.TC_LINKLAYER_ETHERNET

/** net/sched/sch_tbf.c: `burst` in bytes has priority over `buffer` in ticks, which kernels before 3.13 need. */
function tbfOptions(settings: spec.TbfSettings): wire.TbfOptions {
  const { rate, burst, latency, peakRate, mtu } = settings
  if (peakRate !== undefined && mtu === undefined) throw settingError('tbf', 'peakRate needs mtu')
  return {
    parameters: {
      rate: rateSpec('tbf rate', rate, layer),
      peakRate: rateSpec('tbf peakRate', peakRate, layer),
      limit: settings.limit ?? limitOf(settings, latency),
      buffer: transmitTicks(burst, rate),
      mtu: peakRate === undefined || mtu === undefined ? 0 : transmitTicks(mtu, peakRate),
    },
    burst,
    rate64: rate64(rate),
    peakRate64: rate64(peakRate),
    peakBurst: peakRate === undefined ? undefined : mtu,
  }
}

/** The same as tc: the bytes sent within `latency`, and the burst. The slower of the two rates counts. */
function limitOf({ rate, burst, peakRate, mtu = 0 }: spec.TbfSettings, latency: number | undefined): number {
  if (latency === undefined) throw settingError('tbf', 'tbf needs latency or limit')
  const within = (rate / 8) * (latency / 1e6) + burst
  const peak = peakRate === undefined ? within : (peakRate / 8) * (latency / 1e6) + mtu
  return Math.floor(Math.min(within, peak))
}

function htbInit({ default: defaultClass = 0, rateToQuantum = 10 }: spec.HtbSettings) {
  return { version: wire.TC_HTB_PROTOVER, rateToQuantum, defaultClass, debug: 0, directPackets: 0 }
}

/** The MTU that tc assumes, with room for headers and tags. */
const assumedMtu = 1600

/** net/sched/sch_htb.c, htb_change_class. */
export function htbClassOptions(settings: spec.ClassSpec): wire.HtbOptions {
  const { rate, ceil = rate, priority = 0, quantum = 0 } = settings
  const { burst = usualBurst(rate), ceilBurst = usualBurst(ceil) } = settings
  return {
    rate64: rate64(rate),
    ceil64: rate64(ceil),
    parameters: {
      rate: rateSpec('class rate', rate, layer),
      ceil: rateSpec('class ceil', ceil, layer),
      buffer: transmitTicks(burst, rate),
      ceilBuffer: transmitTicks(ceilBurst, ceil),
      quantum,
      level: 0,
      priority,
    },
  }
}

/** tc uses one MTU alone, since its clock has no ticks: a class of 40 Gbit/s would then get a burst of 0. */
const usualBurst = (rate: number) => assumedMtu + Math.floor(rate / 8 / 1000)

/**
 * Times that fit exactly into 32 bits of ticks are sent so; others are sent in nanoseconds as well (Linux
 * 4.16).
 */
function netemOptions(settings: spec.NetemSettings): wire.NetemOptions {
  const { delay = 0, jitter = 0, loss = 0, duplicate = 0, reorder, limit = 1000 } = settings
  return {
    latency: Math.min(ticksOf(delay), 0xffffffff),
    limit,
    loss: shareOf('netem loss', loss),
    gap: settings.gap ?? (reorder === undefined ? 0 : 1),
    duplicate: shareOf('netem duplicate', duplicate),
    jitter: Math.min(ticksOf(jitter), 0xffffffff),
    attributes: {
      ...netemChances(settings),
      ecn: settings.ecn ? 1 : undefined,
      ...netemRate(settings),
      latency64: nanoseconds(delay),
      jitter64: nanoseconds(jitter),
      seed: settings.seed,
    },
  }
}

function nanoseconds(microseconds: number): bigint | undefined {
  const exact = Math.round(microseconds * 1000)
  return exact % 64 === 0 && exact / 64 <= 0xffffffff ? undefined : BigInt(exact)
}

function netemChances(settings: spec.NetemSettings): wire.NetemOptions['attributes'] {
  const { delayCorrelation, lossCorrelation, duplicateCorrelation, corrupt, reorder } = settings
  const correlations = {
    delay: shareOf('netem delayCorrelation', delayCorrelation ?? 0),
    loss: shareOf('netem lossCorrelation', lossCorrelation ?? 0),
    duplicate: shareOf('netem duplicateCorrelation', duplicateCorrelation ?? 0),
  }
  const any = correlations.delay || correlations.loss || correlations.duplicate
  return {
    correlations: any ? correlations : undefined,
    reorder: chance('reorder', reorder, settings.reorderCorrelation),
    corrupt: chance('corrupt', corrupt, settings.corruptCorrelation),
  }
}

function chance(name: string, share: number | undefined, correlation = 0) {
  if (share === undefined) return undefined
  return {
    probability: shareOf(`netem ${name}`, share),
    correlation: shareOf(`netem ${name}Correlation`, correlation),
  }
}

function netemRate({ rate, overhead = 0 }: spec.NetemSettings): wire.NetemOptions['attributes'] {
  if (rate === undefined) return {}
  const spec = rateSpec('netem rate', rate, 0)
  const shape = { rate: spec.rate, packetOverhead: overhead, cellSize: 0, cellOverhead: 0 }
  return { rate64: rate64(rate), rate: shape }
}

function fqCodelOptions({ ecn, ...settings }: spec.FqCodelSettings): wire.FqCodelOptions {
  const { target, interval, limit, flows, quantum, memoryLimit } = settings
  const own = { target, interval, limit, flows, quantum, memoryLimit }
  return { ...own, ecn: ecn === undefined ? undefined : Number(ecn) }
}
