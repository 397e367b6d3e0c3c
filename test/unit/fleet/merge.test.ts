import { describe, expect, test } from 'vitest'
import type { NodeStatus, Status } from '../../../src/api/index.ts'
import * as merge from '../../../src/fleet/merge.ts'
import { planCluster, resolveSettings } from '../../../src/plan/index.ts'

const node = (id: number): NodeStatus => ({
  ...{ id, name: `vm-00${id}`, role: 'vm', state: 'ready', milestones: {}, console: '', nets: [] },
})
const status = (pid: number, ...ids: number[]): Status => ({
  ...{ v: 1, name: 'lab', topology: 'xnet', state: 'ready', netns: '', owner: { pid }, accel: 'tcg' },
  ...{ kernel: '6.1', startedAt: '', nodes: ids.map(node) },
})

const plan = planCluster(resolveSettings({ options: { nvm: 4, nrouters: 0 } }))
/** Nodes 1, 2 and 4 on host 0, and 3 on host 2. All are on net 1, which joins the hosts. */
const placement = new Map([1, 2, 3, 4].map(id => [id, id === 3 ? 2 : 0]))
const lab = { plan, placement }
const missing = [{ node: plan.nodes[2]!, reason: 'host 2 (c): it was stopped' }]

describe('the answers of all hosts as one', () => {
  test('have the nodes of all, in order, and those of a host that has gone as failed', () => {
    const merged = merge.mergedStatus([status(7, 4, 1), status(8, 2)], missing)
    expect(merged).toMatchObject({ name: 'lab', owner: { pid: 7 } })
    expect(merged.nodes.map(({ id, state }) => `${id} ${state}`)).toEqual([
      ...['1 ready', '2 ready', '3 failed', '4 ready'],
    ])
    expect(merged.nodes[2]).toMatchObject({ reason: 'host 2 (c): it was stopped', nets: plan.nodes[2]!.nets })
  })

  test('have the sums of counters, and each name once', () => {
    const counters = { v: 1, atMs: 5, load: [1, 1, 1], dns: { questions: 2, answeredHere: 1 } } as const
    const merged = merge.mergedCounters([
      { ...counters, nodes: [{ id: 1, nets: [] }] },
      { ...counters, atMs: 9, nodes: [{ id: 2, nets: [] }] },
    ])
    expect(merged).toMatchObject({
      atMs: 5,
      dns: { questions: 4, answeredHere: 2 },
      nodes: [{ id: 1 }, { id: 2 }],
    })
    const name = { name: 'a', type: 'A', data: '1.2.3.4', ttl: 5, source: 'added' } as const
    const names = merge.mergedNames([
      { v: 1, names: [name] },
      { v: 1, names: [name, { ...name, name: 'b' }] },
    ])
    expect(names.names.map(each => each.name)).toEqual(['a', 'b'])
  })

  test('are good when all are', () => {
    const pair = { from: 'a', to: 'b', address: '', family: 'ipv4' } as const
    const reach = merge.mergedReach(
      [
        { v: 1, ok: true, pairs: [{ ...pair, ok: true }] },
        { v: 1, ok: false, pairs: [{ ...pair, ok: false }] },
      ],
      [],
      lab,
    )
    expect([reach.ok, reach.pairs.length]).toEqual([false, 2])
    const verify = {
      v: 1,
      ok: true,
      differences: [],
      unverified: [],
      paths: { planned: 3, broken: 1 },
    } as const
    expect(merge.mergedVerify([verify, verify], [], lab)).toMatchObject({
      ok: true,
      paths: { planned: 6, broken: 2 },
    })
  })

  test('are not good when a host has gone: its nodes are not as planned, and reach nothing', () => {
    // Among 1, 2 and 4 on nets 0 and 1, in IPv4 and IPv6; from each of them to 3 on net 1.
    const paths = { planned: 3 * 2 * 4 + 3 * 2, broken: 1 }
    const here = { v: 1, ok: true, differences: [], unverified: [], paths } as const
    expect(merge.mergedVerify([here], missing, lab)).toEqual({
      ...here,
      ok: false,
      // Node 3 has as many to the others as they have to it.
      paths: { planned: paths.planned + 3 * 2, broken: 1 + 3 * 2 + 3 * 2 },
      differences: [
        { node: 'vm-003', what: 'node', should: 'ready', is: 'failed (host 2 (c): it was stopped)' },
      ],
    })
    const reach = merge.mergedReach([{ v: 1, ok: true, pairs: [] }], missing, lab)
    expect(reach.ok).toBe(false)
    expect(new Set(reach.pairs.map(({ from, ok }) => `${from} ${ok}`))).toEqual(new Set(['vm-003 false']))
    expect(reach.pairs.map(({ to }) => to)).toContain('vm-001')
    expect(merge.mergedMetrics([[2, merge.failedMetrics('lab', missing)]])).toBe(
      '# TYPE xcluster_node_state gauge\n' +
        'xcluster_node_state{host="2",cluster="lab",node="vm-003",role="vm",state="failed"} 1\n',
    )
  })

  test('are metrics with the host as a label, those of one name together', () => {
    const text = (load: number) =>
      `# HELP load the load\n# TYPE load gauge\nload{minutes="1"} ${load}\n# HELP up it is\nup 1\n`
    expect(
      merge.mergedMetrics([
        [0, text(3)],
        [2, text(4)],
      ]),
    ).toBe(
      [
        ...['# HELP load the load', '# TYPE load gauge'],
        ...['load{host="0",minutes="1"} 3', 'load{host="2",minutes="1"} 4'],
        ...['# HELP up it is', 'up{host="0"} 1', 'up{host="2"} 1', ''],
      ].join('\n'),
    )
  })
})
