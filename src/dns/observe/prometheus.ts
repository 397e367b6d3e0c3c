import { version } from '../../base/index.ts'
import type { UpstreamStatus } from '../types.ts'
import type { Histogram } from './histogram.ts'
import type { Snapshot } from './snapshot.ts'

type Row = readonly [labels: string, value: number]
type Kind = 'counter' | 'gauge'

/** Metrics of the whole server, by CoreDNS's names where it has them (plugins cache and hosts). */
const single: readonly [name: string, kind: Kind, of: (snapshot: Snapshot) => number][] = [
  ['coredns_cache_entries', 'gauge', ({ cached }) => cached.entries],
  [
    'coredns_cache_requests_total',
    'counter',
    ({ counters: { hits, stale, misses } }) => hits + stale + misses,
  ],
  ['coredns_cache_hits_total', 'counter', ({ counters }) => counters.hits],
  ['coredns_cache_misses_total', 'counter', ({ counters }) => counters.misses],
  ['coredns_cache_served_stale_total', 'counter', ({ counters }) => counters.stale],
  ['coredns_cache_prefetch_total', 'counter', ({ counters }) => counters.prefetches],
  ['coredns_cache_evictions_total', 'counter', ({ counters }) => counters.evictions],
  ['xcluster_dns_cache_bytes', 'gauge', ({ cached }) => cached.bytes],
  ['xcluster_dns_own_answers_total', 'counter', ({ counters }) => counters.own],
  ['xcluster_dns_merged_total', 'counter', ({ counters }) => counters.merged],
  ['xcluster_dns_failures_total', 'counter', ({ counters }) => counters.failures],
  ['xcluster_dns_dropped_total', 'counter', ({ counters }) => counters.dropped],
  ['xcluster_dns_rejected_total', 'counter', ({ counters }) => counters.rejected],
  ['xcluster_dns_refused_total', 'counter', ({ server }) => server.refused],
  ['xcluster_dns_tcp_connections', 'gauge', ({ server }) => server.connections],
  ['xcluster_dns_tcp_crowded_out_total', 'counter', ({ server }) => server.crowdedOut],
  ['xcluster_dns_datagrams_lost_total', 'counter', ({ server }) => server.lost],
]

/** Metrics of each upstream (plugin proxy, as forward uses it). */
const perUpstream: readonly [name: string, kind: Kind, of: (upstream: UpstreamStatus) => number][] = [
  ['coredns_proxy_requests_total', 'counter', ({ queries }) => queries],
  ['coredns_proxy_responses_total', 'counter', ({ answers }) => answers],
  ['xcluster_dns_upstream_healthy', 'gauge', ({ healthy }) => Number(healthy)],
  ['xcluster_dns_upstream_timeouts_total', 'counter', ({ timeouts }) => timeouts],
  ['xcluster_dns_upstream_wrong_answers_total', 'counter', ({ wrong }) => wrong],
  ['xcluster_dns_upstream_over_tcp_total', 'counter', ({ overTcp }) => overTcp],
]

/** The text that Prometheus scrapes. The label `at` names the server. */
export function prometheusText(snapshot: Snapshot, at: string): string {
  const { figures, server, upstreams } = snapshot
  const where = `server="dns://${at}",zone="."`
  const labelled = (rows: Iterable<Row>): Row[] =>
    Array.from(rows, ([labels, value]) => [`${where},${labels}`, value])
  return [
    family('coredns_build_info', 'gauge', [[`version="${version}",program="xcluster"`, 1]]),
    family('coredns_panics_total', 'counter', [['', server.panics]]),
    family('coredns_dns_requests_total', 'counter', labelled(figures.requests)),
    family('coredns_dns_responses_total', 'counter', labelled(figures.responses)),
    histogram('coredns_dns_request_duration_seconds', where, figures.duration),
    histogram('coredns_dns_request_size_bytes', where, figures.requestSize),
    histogram('coredns_dns_response_size_bytes', where, figures.responseSize),
    ...single.map(([name, kind, of]) => family(name, kind, [[where, of(snapshot)]])),
    ...perUpstream.map(([name, kind, of]) =>
      family(
        name,
        kind,
        upstreams.map(upstream => [`to="${upstream.name}",zone="${upstream.zone}"`, of(upstream)]),
      ),
    ),
  ].join('')
}

function family(name: string, type: Kind, rows: readonly Row[]): string {
  const lines = rows.map(([labels, value]) => `${name}${labels && `{${labels}}`} ${value}\n`)
  return `# TYPE ${name} ${type}\n${lines.join('')}`
}

function histogram(name: string, where: string, { bounds, counts, sum, count }: Histogram): string {
  let total = 0
  const buckets = bounds.map((bound, i) => {
    total += counts[i]!
    return `${name}_bucket{${where},le="${bound}"} ${total}\n`
  })
  const rest = [
    `${name}_bucket{${where},le="+Inf"} ${count}\n`,
    `${name}_sum{${where}} ${sum}\n`,
    `${name}_count{${where}} ${count}\n`,
  ]
  return `# TYPE ${name} histogram\n${[...buckets, ...rest].join('')}`
}
