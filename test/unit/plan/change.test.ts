import { describe, expect, test } from 'vitest'
import { mtuChanges } from '../../../src/plan/change/bridges.ts'
import {
  appliedSettings,
  changeOf,
  planCluster,
  resolveSettings,
  type SettingOptions,
  type Settings,
  type StandingNode,
  type Topology,
  topologyOf,
} from '../../../src/plan/index.ts'

const lab = (settings: Topology['settings'] = {}, parts: Partial<Topology> = {}): Topology => ({
  ...topologyOf('xnet'),
  ...{ name: 'lab', file: '/lab.yaml', settings },
  ...parts,
})
const started = (topology: Topology, options: SettingOptions = {}) =>
  resolveSettings({ options: { ...topology.settings, ...options, topology } as SettingOptions })

/** What a cluster that was started so, and whose nodes are changed so, needs to become the topology. */
function change(
  before: Settings,
  topology: Topology,
  nodes: (node: StandingNode) => StandingNode = node => node,
) {
  const plan = planCluster(before)
  const standing = plan.nodes.map(node =>
    nodes({ plan: node, settings: before, state: 'ready', impairments: node.impairments ?? {} }),
  )
  const settings = appliedSettings(before, topology)
  return changeOf({ plan, nodes: standing }, { plan: planCluster(settings), settings })
}

const lines = ({ changes }: ReturnType<typeof change>) =>
  changes.map(({ how, of, what, before = '', after = '' }) => `${how} ${of} ${what}: ${before} > ${after}`)

const base = { nvm: 2, nrouters: 1 }

describe('a topology that is applied', () => {
  test('changes nothing in a cluster that was started with it', () => {
    const topology = lab({ ...base, mem: 256, mtu1: 9000, with: ['tcpdump'] })
    expect(change(started(topology), topology)).toEqual({ changes: [], add: [], remove: [], restart: [] })
    const named = resolveSettings({ options: { topology: 'diamond' } })
    expect(lines(change(named, topologyOf('diamond')))).toEqual([])
  })

  test('adds and removes nodes and nets, and says how their neighbours change', () => {
    const before = started(lab(base))
    const after = change(
      before,
      lab(
        { ...base, nvm: 1 },
        { nets: [...lab().nets, { of: 202, nets: [0, 1, 7] }], routers: { usual: 2 } },
      ),
    )
    expect(after).toMatchObject({ add: [], remove: [2] })
    const grown = change(
      before,
      lab({ nvm: 3, nrouters: 2 }, { nets: [...lab().nets, { of: 202, nets: [0, 1, 7] }] }),
    )
    expect(grown).toMatchObject({ add: [3, 202], remove: [], restart: [] })
    const hops = 'via 192.168.1.201 over eth1'
    expect(lines(grown)).toEqual([
      'add net 7 net:  > MTU 1500',
      `change vm-001 route default: ${hops} > ${hops} and via 192.168.1.202 over eth1`,
      `change vm-002 route default: ${hops} > ${hops} and via 192.168.1.202 over eth1`,
      'add vm-003 node:  > 128 MiB, 2 processors, nets 0,1',
      'add vm-202 node:  > 128 MiB, 2 processors, nets 0,1,7',
    ])
  })

  test('starts nodes anew whose machine or software changes, and updates the others', () => {
    const before = started(lab(base))
    const settings = { ...base, mem1: 256, with2: ['tcpdump'], smp201: 1, append201: 'quiet' }
    const after = change(before, lab(settings))
    expect(after).toMatchObject({ restart: [1, 2, 201] })
    expect(lines(after)).toEqual([
      'restart vm-001 memory: 128 MiB > 256 MiB',
      'restart vm-002 setting with:  > tcpdump',
      'restart vm-201 processors: 2 > 1',
      'restart vm-201 kernel parameters:  > quiet',
    ])
    expect(change(before, lab({ ...base, ovl: ['bird'] }))).toMatchObject({ restart: [1, 2, 201] })
    expect(change(before, lab({ ...base, nets2: [0, 1, 3] }))).toMatchObject({ restart: [2] })
    expect(change(before, lab({ ...base, mtu1: 1400 }))).toMatchObject({ restart: [] })
  })

  test('changes addresses, routes, rules, forwarding and masquerading of guests that run', () => {
    const setup: Topology['setup'] = [
      { of: 1, addresses: { 1: 5 }, rules: [{ net: 1, ipv4: 300, ipv6: 301 }] },
      { of: 'router', masquerade: [1], routes: [] },
    ]
    const after = change(started(lab({ nvm: 1, nrouters: 1 })), lab({ nvm: 1, nrouters: 1 }, { setup }))
    expect(after.restart).toEqual([])
    expect(lines(after)).toEqual([
      'change vm-001 address of eth1: 192.168.1.1 > 192.168.5.1',
      'change vm-001 route default: via 192.168.1.201 over eth1 > ',
      'change vm-001 rule for packets out of eth1:  > table 300, IPv6: 301',
      'change vm-201 forwarding: on > ',
      'change vm-201 route default: via 192.168.0.250 over eth0 > ',
      'change vm-201 masquerade of 192.168.2.0/24: on > ',
    ])
  })

  test('compares impairments with those that links have, and starts a node anew that has failed', () => {
    const links = [{ of: 1, net: 1, delayMs: 20 }]
    const topology = lab(base, { links })
    const whole = change(started(topology), topology, node => ({ ...node, impairments: {} }))
    expect(lines(whole)).toEqual(['change vm-001 impairment of eth1:  > delay 20 ms'])
    const back = [...links, { of: 1, net: 1, direction: 'received' as const, loss: 0.1 }]
    expect(lines(change(started(topology), lab(base, { links: back })))).toEqual([
      'change vm-001 impairment of eth1, received:  > loss 10 %',
    ])
    const other = change(started(lab(base)), lab(base), node =>
      node.plan.id === 2 ? { ...node, impairments: { eth0: { loss: 1 } }, state: 'failed' } : node,
    )
    expect(lines(other)).toEqual([
      'restart vm-002 node: failed > ready',
      'change vm-002 impairment of eth0: loss 100 % > ',
    ])
    expect(other.restart).toEqual([2])
  })
})

describe('the settings of a cluster that becomes a topology', () => {
  test('are those of its file; what an earlier file gave has its default, what the start gave stays', () => {
    const before = started(lab({ nvm: 2, mem: 256, smp: 1 }), { append: 'quiet', nrouters: 1, accel: 'tcg' })
    const after = appliedSettings(before, lab({ nvm: 3, smp: 4 }))
    expect(after).toMatchObject({ nvm: 3, mem: 128, smp: 4, append: 'quiet', accel: 'tcg' })
    expect(after.nrouters).toBeUndefined()
  })

  test('are refused when a running cluster cannot change them', () => {
    const before = started(lab())
    expect(() => appliedSettings(before, lab({ prefix: '1000::1' }))).toThrow(
      "setting prefix cannot change while the cluster runs: it is 'fd00:', and would be '1000::1'",
    )
    expect(() => appliedSettings(before, lab({ fabric: 'user' }))).toThrow('setting fabric')
  })
})

test('links of nets with another MTU change it, and those that go do not', () => {
  const planOf = (options: SettingOptions) => planCluster(resolveSettings({ options })).bridges
  const [before, after] = [planOf({ nvm: 2, nrouters: 0 }), planOf({ nvm: 1, nrouters: 0, mtu1: 1400 })]
  expect(mtuChanges(before, after)).toEqual([
    { name: 'xcbr1', mtu: 1400 },
    { name: 'xcbr1_t1', mtu: 1400 },
  ])
  expect(mtuChanges(after, after)).toEqual([])
})
