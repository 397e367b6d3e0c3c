import type { Counted, Counters, Status } from '../api/index.ts'

type Labels = Readonly<Record<string, string | number>>
type Sample = readonly [labels: Labels, value: number]

/**
 * The state and the counters of a cluster as the text that Prometheus reads (prometheus.io/docs/instrumenting/
 * exposition_formats). Times are in seconds.
 */
export function metricsText(status: Status, counters: Counters): string {
  const cluster = status.name
  const nodes = status.nodes.map(node => ({ ...node, labels: { cluster, node: node.name, role: node.role } }))
  const links = linksIn(status, counters)
  return [
    family('xcluster_cluster_state', 'gauge', [
      [{ cluster, topology: status.topology, state: status.state }, 1],
    ]),
    family('xcluster_cluster_ready_seconds', 'gauge', seconds([[{ cluster }, status.readyMs]])),
    family(
      'xcluster_node_state',
      'gauge',
      nodes.map(({ labels, state }) => [{ ...labels, state }, 1]),
    ),
    family(
      'xcluster_node_milestone_seconds',
      'gauge',
      seconds(
        nodes.flatMap(({ labels, milestones }) =>
          Object.entries(milestones).map(([milestone, ms]) => [{ ...labels, milestone }, ms] as const),
        ),
      ),
    ),
    family('xcluster_node_cpu_seconds_total', 'counter', seconds(processorTimes(status, counters))),
    ...linkFamilies(links),
    ...tunnelFamilies(cluster, counters),
    family(
      'xcluster_load',
      'gauge',
      minutes.map((minute, index) => [{ cluster, minutes: minute }, counters.load[index]!]),
    ),
  ].join('')
}

const minutes = [1, 5, 15] as const

interface Link {
  readonly labels: Labels
  readonly sent: Counted
  readonly received?: Counted
}

function linksIn({ name, nodes }: Status, counters: Counters): Link[] {
  return counters.nodes.flatMap(({ id, nets }) => {
    const node = nodes.find(each => each.id === id)?.name ?? `${id}`
    return nets.map(({ net, dev, ...counted }) => ({ labels: { cluster: name, node, dev, net }, ...counted }))
  })
}

/** What is counted of a link, by the name of its metric. */
const ofLink = {
  packets: ({ frames }: Counted) => frames,
  bytes: ({ bytes }: Counted) => bytes,
  dropped: ({ dropped }: Counted) => dropped,
} as const

/** Of each link, what its node has sent and received; and of each net, what its nodes have sent. */
function linkFamilies(links: readonly Link[]): string[] {
  const entries = Object.entries(ofLink)
  const directions = (['sent', 'received'] as const).flatMap(direction =>
    entries.map(([what, of]) =>
      counter(
        `xcluster_link_${direction}_${what}_total`,
        links.map(link => [link.labels, link[direction] && of(link[direction])]),
      ),
    ),
  )
  const nets = [...new Set(links.map(({ labels }) => labels.net!))].sort((a, b) => Number(a) - Number(b))
  const sums = entries.slice(0, 2).map(([what, of]) =>
    counter(
      `xcluster_net_${what}_total`,
      nets.map(net => {
        const own = links.filter(({ labels }) => labels.net === net)
        return [
          { cluster: own[0]!.labels.cluster!, net },
          own.reduce((sum, { sent }) => sum + (of(sent) ?? 0), 0),
        ]
      }),
    ),
  )
  return [...directions, ...sums]
}

/** What the owner carries between hosts, and what it does not, by reason. */
function tunnelFamilies(cluster: string, { tunnel }: Counters): string[] {
  if (!tunnel) return []
  const { sent, received, strangers, refused, lost } = tunnel
  const dropped = Object.entries({ stranger: strangers, refused, lost })
  return [
    counter('xcluster_tunnel_sent_datagrams_total', [[{ cluster }, sent]]),
    counter('xcluster_tunnel_received_datagrams_total', [[{ cluster }, received]]),
    counter(
      'xcluster_tunnel_dropped_datagrams_total',
      dropped.map(([reason, count]) => [{ cluster, reason }, count]),
    ),
  ]
}

function counter(name: string, rows: readonly (readonly [Labels, number | undefined])[]): string {
  return family(name, 'counter', present(rows))
}

function processorTimes(
  { name, nodes }: Status,
  counters: Counters,
): (readonly [Labels, number | undefined])[] {
  return counters.nodes.map(({ id, cpuMs }) => [
    { cluster: name, node: nodes.find(node => node.id === id)?.name ?? `${id}` },
    cpuMs,
  ])
}

/** Milliseconds as seconds, to a microsecond. */
function seconds(rows: readonly (readonly [Labels, number | undefined])[]): Sample[] {
  return present(rows).map(([labels, ms]) => [labels, Number((ms / 1000).toFixed(6))])
}

function present(rows: readonly (readonly [Labels, number | undefined])[]): Sample[] {
  return rows.flatMap(([labels, value]) => (value === undefined ? [] : [[labels, value] as const]))
}

/** A metric without samples is left out. */
function family(name: string, type: 'counter' | 'gauge', samples: readonly Sample[]): string {
  if (samples.length === 0) return ''
  const lines = samples.map(([labels, value]) => `${name}{${labelText(labels)}} ${value}\n`)
  return `# TYPE ${name} ${type}\n${lines.join('')}`
}

function labelText(labels: Labels): string {
  return Object.entries(labels)
    .map(
      ([name, value]) =>
        `${name}="${String(value).replace(/[\\"\n]/g, each => (each === '\n' ? '\\n' : `\\${each}`))}"`,
    )
    .join(',')
}
