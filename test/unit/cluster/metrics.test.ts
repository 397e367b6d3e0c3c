import { expect, test } from 'vitest'
import type { Counters, Status } from '../../../src/api/index.ts'
import { metricsText } from '../../../src/cluster/metrics.ts'

const node = (id: number, name: string, milestones: object) =>
  ({ id, name, role: id > 200 ? 'router' : 'vm', state: 'ready', milestones }) as Status['nodes'][number]

const status = {
  v: 1,
  name: 'lab',
  topology: 'a"b\\c',
  state: 'ready',
  readyMs: 1500,
  nodes: [node(1, 'vm-001', { qemu: 20, ready: 640 }), node(201, 'vm-201', {})],
} as unknown as Status

const counters: Counters = {
  v: 1,
  atMs: 5,
  load: [0.5, 1, 2],
  nodes: [
    {
      id: 1,
      cpuMs: 250,
      nets: [
        {
          net: 1,
          dev: 'eth1',
          sent: { frames: 10, bytes: 1000, dropped: 1 },
          received: { frames: 7, bytes: 700, dropped: 0 },
        },
      ],
    },
    { id: 201, nets: [{ net: 1, dev: 'eth1', sent: { frames: 5, bytes: 500 } }] },
  ],
}

test('metrics have states, milestones and counters, each with its type and labels', () => {
  expect(metricsText(status, counters).trimEnd().split('\n')).toEqual([
    '# TYPE xcluster_cluster_state gauge',
    'xcluster_cluster_state{cluster="lab",topology="a\\"b\\\\c",state="ready"} 1',
    '# TYPE xcluster_cluster_ready_seconds gauge',
    'xcluster_cluster_ready_seconds{cluster="lab"} 1.5',
    '# TYPE xcluster_node_state gauge',
    'xcluster_node_state{cluster="lab",node="vm-001",role="vm",state="ready"} 1',
    'xcluster_node_state{cluster="lab",node="vm-201",role="router",state="ready"} 1',
    '# TYPE xcluster_node_milestone_seconds gauge',
    'xcluster_node_milestone_seconds{cluster="lab",node="vm-001",role="vm",milestone="qemu"} 0.02',
    'xcluster_node_milestone_seconds{cluster="lab",node="vm-001",role="vm",milestone="ready"} 0.64',
    '# TYPE xcluster_node_cpu_seconds_total counter',
    'xcluster_node_cpu_seconds_total{cluster="lab",node="vm-001"} 0.25',
    '# TYPE xcluster_link_sent_packets_total counter',
    'xcluster_link_sent_packets_total{cluster="lab",node="vm-001",dev="eth1",net="1"} 10',
    'xcluster_link_sent_packets_total{cluster="lab",node="vm-201",dev="eth1",net="1"} 5',
    '# TYPE xcluster_link_sent_bytes_total counter',
    'xcluster_link_sent_bytes_total{cluster="lab",node="vm-001",dev="eth1",net="1"} 1000',
    'xcluster_link_sent_bytes_total{cluster="lab",node="vm-201",dev="eth1",net="1"} 500',
    '# TYPE xcluster_link_sent_dropped_total counter',
    'xcluster_link_sent_dropped_total{cluster="lab",node="vm-001",dev="eth1",net="1"} 1',
    '# TYPE xcluster_link_received_packets_total counter',
    'xcluster_link_received_packets_total{cluster="lab",node="vm-001",dev="eth1",net="1"} 7',
    '# TYPE xcluster_link_received_bytes_total counter',
    'xcluster_link_received_bytes_total{cluster="lab",node="vm-001",dev="eth1",net="1"} 700',
    '# TYPE xcluster_link_received_dropped_total counter',
    'xcluster_link_received_dropped_total{cluster="lab",node="vm-001",dev="eth1",net="1"} 0',
    '# TYPE xcluster_net_packets_total counter',
    'xcluster_net_packets_total{cluster="lab",net="1"} 15',
    '# TYPE xcluster_net_bytes_total counter',
    'xcluster_net_bytes_total{cluster="lab",net="1"} 1500',
    '# TYPE xcluster_load gauge',
    'xcluster_load{cluster="lab",minutes="1"} 0.5',
    'xcluster_load{cluster="lab",minutes="5"} 1',
    'xcluster_load{cluster="lab",minutes="15"} 2',
  ])
})

test('what is not counted is left out', () => {
  const text = metricsText({ ...status, nodes: [] }, { ...counters, nodes: [] })
  expect(text).not.toMatch(/xcluster_(node|link|net)_/)
})
