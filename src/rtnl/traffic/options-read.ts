import { given } from '../link/given.ts'
import type * as wire from '../wire/index.ts'
import { fqSettings, sfqSettings } from './fair-queues.ts'
import { handleText } from './handle.ts'
import type * as spec from './qdisc-spec.ts'
import { bitsOf, bytesIn, microsecondsOf, shareText } from './units.ts'

/** A qdisc's settings; undefined for kinds that this library does not decode. */
export function settingsOf(attributes: wire.TrafficAttributes): spec.QdiscSettings | undefined {
  const { kind, tbf, htb, netem, fq_codel, pfifo, bfifo, fq, prio, sfq } = attributes
  if (kind === 'tbf' && tbf?.parameters) return tbfSettings(tbf, tbf.parameters)
  if (kind === 'htb' && htb?.init)
    return { kind, default: htb.init.defaultClass, rateToQuantum: htb.init.rateToQuantum }
  if (kind === 'netem' && netem) return netemSettings(netem)
  if (kind === 'fq_codel' && fq_codel) return fqCodelSettings(fq_codel)
  if (kind === 'fq' && fq) return fqSettings(fq)
  if (kind === 'prio' && prio) return { kind, bands: prio.bands, map: [...prio.map] }
  if (kind === 'sfq' && sfq) return sfqSettings(sfq)
  if (kind === 'pfifo' || kind === 'bfifo') return { kind, ...given({ limit: (pfifo ?? bfifo)?.limit }) }
  return kind === 'ingress' || kind === 'clsact' ? { kind } : undefined
}

type TbfParameters = NonNullable<wire.TbfOptions['parameters']>

/** The kernel reports the burst in ticks only (tbf_dump). */
function tbfSettings(options: wire.TbfOptions, { rate, ...rest }: TbfParameters): spec.TbfSettings {
  const bits = bitsOf(rate.rate, options.rate64)
  const peak = bitsOf(rest.peakRate.rate, options.peakRate64)
  return {
    kind: 'tbf',
    rate: bits,
    burst: bytesIn(rest.buffer, bits),
    limit: rest.limit,
    ...(peak > 0 && { peakRate: peak, mtu: bytesIn(rest.mtu, peak) }),
  }
}

function netemSettings({ attributes, ...netem }: wire.NetemOptions): spec.NetemSettings {
  const { correlations, reorder, corrupt, rate, rate64, ecn, latency64, jitter64, seed } = attributes
  return {
    kind: 'netem',
    delay: latency64 === undefined ? microsecondsOf(netem.latency) : Number(latency64) / 1000,
    jitter: jitter64 === undefined ? microsecondsOf(netem.jitter) : Number(jitter64) / 1000,
    loss: shareText(netem.loss),
    duplicate: shareText(netem.duplicate),
    limit: netem.limit,
    ...(correlations && {
      delayCorrelation: shareText(correlations.delay),
      lossCorrelation: shareText(correlations.loss),
      duplicateCorrelation: shareText(correlations.duplicate),
    }),
    ...(reorder?.probability && {
      reorder: shareText(reorder.probability),
      reorderCorrelation: shareText(reorder.correlation),
      gap: netem.gap,
    }),
    ...(corrupt?.probability && {
      corrupt: shareText(corrupt.probability),
      corruptCorrelation: shareText(corrupt.correlation),
    }),
    ...(rate?.rate && { rate: bitsOf(rate.rate, rate64), overhead: rate.packetOverhead }),
    ...(ecn && { ecn: true }),
    ...(seed !== undefined && { seed }),
  }
}

function fqCodelSettings({ ecn, ...options }: wire.FqCodelOptions): spec.FqCodelSettings {
  const { target, interval, limit, flows, quantum, memoryLimit } = options
  const on = ecn === undefined ? undefined : ecn !== 0
  return { kind: 'fq_codel', ...given({ target, interval, limit, flows, quantum, memoryLimit, ecn: on }) }
}

/** Undefined for entries that are not classes of an htb. */
export function classOf({ index, handle, parent, info, attributes }: wire.TrafficMessage) {
  const { htb, statistics } = attributes
  if (!htb?.parameters) return undefined
  const { rate, ceil, buffer, ceilBuffer, priority, quantum } = htb.parameters
  const [bits, most] = [bitsOf(rate.rate, htb.rate64), bitsOf(ceil.rate, htb.ceil64)]
  const found: spec.TrafficClass = {
    link: index,
    id: handleText(handle),
    parent: handleText(parent),
    rate: bits,
    ceil: most,
    burst: bytesIn(buffer, bits),
    ceilBurst: bytesIn(ceilBuffer, most),
    priority,
    quantum,
    ...(info !== 0 && { leaf: handleText(info) }),
    ...(statistics && { statistics: statisticsOf(statistics) }),
  }
  return found
}

export function statisticsOf({
  basic,
  queue,
  packets,
}: NonNullable<wire.TrafficAttributes['statistics']>): spec.TrafficStatistics {
  return {
    bytes: basic?.bytes ?? 0,
    packets: packets ?? basic?.packets ?? 0,
    queued: queue?.length ?? 0,
    backlog: queue?.backlog ?? 0,
    drops: queue?.drops ?? 0,
    requeues: queue?.requeues ?? 0,
    overlimits: queue?.overlimits ?? 0,
  }
}
