import { describe, expect, test } from 'vitest'
import { planCluster } from '../../../../src/plan/cluster.ts'
import {
  type ClusterPlan,
  type Observed,
  resolveSettings,
  type SettingOptions,
  topologies,
  Verification,
} from '../../../../src/plan/index.ts'
import { reachTargets } from '../../../../src/plan/reachability.ts'
import { extra, faults, route, type State, without } from './faults.ts'

const planOf = (options: SettingOptions): ClusterPlan => planCluster(resolveSettings({ options }))
const xnet = planOf({ nvm: 2, ntesters: 1 })

/** All nodes as the plan says, and one of them changed. */
function seen(plan: ClusterPlan, id?: number, change: (state: State) => void = () => {}) {
  const verification = new Verification(plan)
  const observed = new Map(plan.nodes.map(node => [node.id, structuredClone(verification.expected(node.id))]))
  if (id !== undefined) change(observed.get(id) as unknown as State)
  return verification.compare(observed as ReadonlyMap<number, Observed>)
}

const said = (plan: ClusterPlan, id: number, change: (state: State) => void) =>
  seen(plan, id, change).differences.map(
    ({ node, what, should, is }) => `${node}: ${what}: ${is} (${should})`,
  )

describe('a verification', () => {
  test('finds nothing in a cluster that is as planned', () => {
    const { differences, paths } = seen(xnet)
    expect(differences).toEqual([])
    expect(paths).toMatchObject({ broken: 0 })
    expect(paths.planned).toBeGreaterThan(80)
  })

  test.for(faults)('names %s, once', ([, id, change, text]) => {
    expect(said(xnet, id, change)).toEqual([text])
  })

  test.for(topologies.map(({ name }) => name))('finds nothing in a cluster of topology %s', name => {
    const plan = planOf({ nvm: 2, topology: name })
    const { differences, paths } = seen(plan)
    expect([differences, paths.broken]).toEqual([[], 0])
    expect(paths.planned).toBeGreaterThanOrEqual(reachTargets(plan).length)
  })

  test('names an impairment that is not there, another one, and one that was not asked for', () => {
    const impaired = (id: number, impairments: ClusterPlan['nodes'][number]['impairments']) => ({
      ...xnet,
      nodes: xnet.nodes.map(node => (node.id === id && impairments ? { ...node, impairments } : node)),
    })
    const plan = impaired(1, { eth1: { delayMs: 20, loss: 0.01 } })
    const what = 'vm-001: impairment of eth1'
    expect(seen(plan).differences).toEqual([])
    const gone = (s: State) => {
      s.impairments = []
    }
    const other = (s: State) => {
      s.impairments = [{ dev: 'eth1', direction: 'sent', delay: 30_000 }]
    }
    expect(said(plan, 1, gone)).toEqual([`${what}: none (delay 20 ms, loss 1 %)`])
    expect(said(plan, 1, other)).toEqual([`${what}: delay 30 ms (delay 20 ms, loss 1 %)`])
    expect(said(xnet, 1, other)).toEqual([`${what}: delay 30 ms (none)`])
    const seeded = impaired(1, { eth1: { loss: 0.1, seed: 7 } })
    const kept = (seed: number) => (s: State) => {
      s.impairments = [{ dev: 'eth1', direction: 'sent', loss: 0.1, seed }]
    }
    expect(said(seeded, 1, kept(7))).toEqual([])
    expect(said(seeded, 1, kept(8))).toEqual([`${what}: loss 10 %, seed 8 (loss 10 %, seed 7)`])
    expect(said(impaired(1, { eth1: { loss: 0.1 } }), 1, kept(8))).toEqual([])
    const both = impaired(1, { eth1: { received: { delayMs: 30 } } })
    expect(seen(both).differences).toEqual([])
    expect(said(both, 1, other)).toEqual([
      `${what}: delay 30 ms (none)`,
      `${what}, received: none (delay 30 ms)`,
    ])
  })

  test('expects no path, and no answer of a neighbour, over a link that is to be cut off', () => {
    for (const impairment of [{ down: true }, { partition: true }, { loss: 1 }, { received: { loss: 1 } }]) {
      const nodes = xnet.nodes.map(node =>
        node.id === 1 ? { ...node, impairments: { eth1: impairment } } : node,
      )
      const plan = { ...xnet, nodes }
      const { differences, paths } = seen(plan)
      expect(differences).toEqual([])
      expect(paths.planned).toBeLessThan(seen(xnet).paths.planned)
      const { neighbours } = new Verification(plan).expected(1)
      expect(neighbours.filter(({ dev, nextHop }) => dev === 'eth1' && nextHop)).toEqual([])
    }
  })

  test('names a rule of the plan that is gone, or that leads to another table', () => {
    const plan = planOf({ nvm: 1, topology: 'dual-path' })
    const rule = 'vm-001: rule of IPv4 for packets out of eth2'
    const of = (s: State) => s.rules.find(({ outDev, family }) => outDev === 'eth2' && family === 4)!
    const gone = (s: State) => {
      s.rules = without(s.rules, each => each === of(s))
    }
    expect(said(plan, 1, gone)).toEqual([`${rule}: missing (look-up in table 300)`])
    const other = (s: State) => {
      of(s).table = 99
    }
    expect(said(plan, 1, other)).toEqual([`${rule}: look-up in table 99 (look-up in table 300)`])
    const table = (s: State) => {
      s.routes = without(s.routes, each => each.table === 301)
    }
    expect(said(plan, 1, table)).toEqual([
      'vm-001: route default of IPv6 in table 301: missing (via fd00::c0a8:4ca over eth2)',
    ])
    expect(seen(plan, 1, table).paths.broken).toBeGreaterThan(0)
  })

  test('names what is wrong with a bridge in a guest', () => {
    const plan = planOf({ nvm: 1, ntesters: 1, topology: 'bridge' })
    const change = (s: State) => {
      s.links = without(s.links, ({ name }) => name === 'br1')
      delete s.links.find(({ name }) => name === 'eth2')!.master
    }
    expect(said(plan, 201, change)).toEqual([
      'vm-201: interface eth2 as a port: of no bridge (of br1)',
      'vm-201: interface br1: missing (there)',
    ])
  })

  test('counts the paths that a fault breaks', () => {
    const { paths } = seen(xnet, 1, s => {
      s.routes = without(s.routes, each => each === route(s, 'default'))
    })
    expect(paths.broken).toBe(3)
    expect(
      seen(xnet, 221, s => {
        s.links[1]!.mtu = 1400
      }).paths.broken,
    ).toBeGreaterThan(5)
  })

  test('does not mind what a node has beside the plan', () => {
    const change = (s: State) => {
      s.links.push({ name: 'dummy0', mtu: 1500, up: true, carrier: true })
      s.addresses.push({ dev: 'dummy0', family: 4, address: '10.0.0.1', prefix: 8 })
      s.routes.push(extra('10.1.0.0/16', '192.168.1.2'), extra('default', '192.168.1.2', { metric: 99 }))
      s.rules.splice(1, 0, { family: 4, priority: 5, action: 'lookup', table: 9, special: true })
      s.neighbours.push({ dev: 'eth1', address: '192.168.1.77', mac: '02:00:00:00:00:01', state: 'stale' })
      s.sysctls['net/ipv4/conf/all/rp_filter'] = '1'
    }
    expect(said(xnet, 1, change)).toEqual([])
  })

  test('takes a node that was not read as it should be, and one that is gone as not there', () => {
    const verification = new Verification(xnet)
    expect(verification.compare(new Map()).paths.broken).toBe(0)
    const { differences, paths } = verification.compare(new Map(), new Set([201]))
    expect(differences).toEqual([])
    expect(paths.broken).toBeGreaterThan(10)
  })

  test('holds for the user network, whose net 0 connects no nodes', () => {
    const verification = new Verification(xnet, 'user')
    const nets = verification.expected(1).neighbours.map(({ dev }) => dev)
    expect(new Set(nets)).toEqual(new Set(['eth1']))
  })
})
