import { expect } from 'vitest'
import { type Cluster, startCluster } from '../../../src/index.ts'
import { type Topology, topologyOf } from '../../../src/plan/index.ts'
import { test } from '../../support/leaks.ts'

const settings = { nvm: 2, nrouters: 1, mem: 112, smp: 1 }
const lab = (parts: Partial<Topology> = {}): Topology => ({
  ...topologyOf('xnet'),
  name: 'lab',
  settings,
  ...parts,
})

/** Afterwards the cluster is as planned, and there is nothing left to do. */
async function applied(cluster: Cluster, topology: Topology) {
  const { changes } = await cluster.apply(topology)
  expect(await cluster.apply(topology)).toEqual({ v: 1, applied: false, changes: [] })
  expect((await cluster.verify()).differences).toEqual([])
  return changes.map(({ how, of, what }) => `${how} ${of} ${what}`)
}

const pids = (cluster: Cluster) => cluster.status().nodes.map(({ pid }) => pid)

test('a cluster becomes what a topology says, and only nodes that cannot change are started anew', async () => {
  await using cluster = await startCluster({ ...settings, topology: lab() })
  const before = pids(cluster)

  const setup: Topology['setup'] = [
    { of: 1, addresses: { 1: 5 }, rules: [{ net: 1, ipv4: 300, ipv6: 301 }] },
    { of: 'router', masquerade: [1], routes: [], forwarding: true },
  ]
  const links = [{ of: 2, net: 1, delayMs: 20 }]
  const smaller = lab({ setup, links, settings: { ...settings, mtu1: 1400 } })
  expect(await applied(cluster, smaller)).toEqual([
    'change net 1 MTU',
    'change vm-001 address of eth1',
    'change vm-001 route default',
    'change vm-001 rule for packets out of eth1',
    'change vm-002 route default',
    'change vm-002 impairment of eth1',
    'change vm-201 route default',
    'change vm-201 masquerade of 192.168.2.0/24',
  ])
  expect(pids(cluster)).toEqual(before)

  const other = lab({ settings: { ...settings, nvm: 1, nrouters: 2, mem1: 128, nets202: [0, 1, 7] } })
  const changes = await applied(cluster, other)
  expect(changes).toContain('add net 7 net')
  expect(changes).toContain('restart vm-001 memory')
  expect(changes).toContain('remove vm-002 node')
  expect(changes).toContain('add vm-202 node')
  expect(cluster.status().nodes.map(({ name }) => name)).toEqual(['vm-001', 'vm-201', 'vm-202'])
  expect(pids(cluster)[1]).toBe(before[2])
  expect((await cluster.checkReach()).every(({ ok }) => ok)).toBe(true)
})

test('a topology that cannot be applied changes nothing, and one that fails midway is finished by the next try', async () => {
  await using cluster = await startCluster({ ...settings, topology: lab() })
  const [before, plan] = [pids(cluster), cluster.plan]
  const refused = (topology: Topology) => cluster.apply(topology)
  await expect(refused(lab({ settings: { ...settings, prefix: '1000::1' } }))).rejects.toMatchObject({
    code: 'APPLY_REFUSED',
  })
  await expect(refused(lab({ settings: { ...settings, ovl: ['no-such-overlay'] } }))).rejects.toMatchObject({
    code: 'OVERLAY_MISSING',
  })
  await expect(refused({ ...lab(), nets: 5 } as unknown as Topology)).rejects.toMatchObject({
    code: 'BAD_TOPOLOGY',
  })
  expect([pids(cluster), cluster.plan]).toEqual([before, plan])

  const panics = { ...settings, nvm: 3, append3: 'init=/nowhere rdinit=/nowhere' }
  const grown = lab({ settings: panics, links: [{ of: 1, net: 1, loss: 0.1 }] })
  const failed = await cluster.apply(grown).catch((failure: unknown) => failure)
  expect(failed).toMatchObject({ code: 'APPLY_INCOMPLETE' })
  expect(String(failed)).toContain('done: nothing; not done: add vm-003')
  expect(cluster.plan.nodes.map(({ id }) => id)).toEqual([1, 2, 201])
  expect(await applied(cluster, lab({ settings: { ...settings, nvm: 3 }, links: [] }))).toEqual([
    'add vm-003 node',
  ])
})
