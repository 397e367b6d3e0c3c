import { expect, test } from 'vitest'
import { Connection, NLM_F_DUMP } from '../../../src/netlink/index.ts'
import * as rtnl from '../../../src/rtnl/index.ts'
import { FakeKernel } from '../../support/netlink-fake.ts'
import { type Call, survivesWrongArguments, untold } from './wrong.ts'

function route(): rtnl.Route {
  const kernel = new FakeKernel()
  kernel.handler = (request, { ack, dump }) =>
    (request.flags & NLM_F_DUMP) === NLM_F_DUMP
      ? dump.call(kernel, request, { type: 0, body: { write: () => {} }, values: [] })
      : ack.call(kernel, { ...request, flags: request.flags | 4 })
  return new rtnl.Route(new Connection(kernel))
}

type Noun = keyof rtnl.Batch
type Verbs = Readonly<Record<string, (...args: unknown[]) => unknown>>

/** A change, as messages for another machine. */
function change(
  name: `${Noun}.${string}`,
  args: readonly unknown[],
  needs: readonly string[] = [],
): [string, Call] {
  const [noun, verb] = name.split('.') as [Noun, string]
  const call = (...given: unknown[]) =>
    rtnl.placedMessages(batch => {
      ;(batch[noun] as unknown as Verbs)[verb]!(...given)
    })
  return [`${noun}.${verb} ${JSON.stringify(args).slice(0, 40)}`, { args, needs, call }]
}

/** A listing, asked of a kernel that has nothing. */
function listing(
  name: `${Noun}.${string}`,
  args: readonly unknown[],
  needs: readonly string[] = [],
): [string, Call] {
  const [noun, verb] = name.split('.') as [Noun, string]
  const call = async (...given: unknown[]) => {
    await using open = route()
    await (open[noun] as unknown as Verbs)[verb]!(...given)
  }
  return [`${noun}.${verb}`, { args, needs, call }]
}

const eth = 'eth0'
const [v4, v6] = ['192.168.1.1', 'fd00::1']
const encaps = [
  { type: 'mpls', labels: [100, 200], ttl: 3 },
  { type: 'ip', id: 5, to: v4, from: v4 },
  { type: 'seg6', mode: 'encap', segments: [v6] },
]

const changes = Object.fromEntries([
  change(
    'links.add',
    [rtnl.bridge({ name: 'br0', mtu: 1500, stp: false, up: true })],
    ['0', '0.name', '0.kind'],
  ),
  change(
    'links.add',
    [rtnl.veth({ name: 'a', mac: '00:00:00:01:00:01', master: 'br', peer: { name: 'b', mtu: 9000 } })],
    ['0.peer.name'],
  ),
  change('links.add', [
    rtnl.vxlan({
      name: 'x',
      vni: 7,
      remote: v4,
      local: v4,
      dev: eth,
      sourcePorts: [1, 2],
      dontFragment: 'set',
    }),
  ]),
  change('links.add', [rtnl.macvlan({ name: 'm', link: eth, mode: 'bridge', noPromiscuous: true })]),
  change('links.add', [rtnl.vlan({ name: 'v', link: eth, id: 5, protocol: '802.1ad', gvrp: true })]),
  change('links.add', [rtnl.vrf({ name: 'r', table: 10 })]),
  change('links.add', [
    rtnl.bond({ name: 'b', mode: '802.3ad', lacpRate: 'fast', transmitHashPolicy: 'layer2' }),
  ]),
  change('links.add', [rtnl.geneve({ name: 'g', vni: 4, remote: v6, dontFragment: 'set' })]),
  change('links.add', [
    rtnl.tunnel({ name: 't', kind: 'gre', remote: v4, local: v4, dev: eth, inputKey: 1 }),
  ]),
  change('links.add', [
    { name: 'i', kind: 'ipvlan', link: eth, ipvlan: { mode: 'l3', isolation: 'vepa' }, addrGenMode: 'none' },
  ]),
  change(
    'links.change',
    [{ name: eth, mtu: 1400, port: { cost: 3 }, addrGenMode: 'none', up: true, alias: 'a' }],
    ['0', '0.name'],
  ),
  change('links.change', [{ index: 3, newName: 'new', master: null }], ['0.index']),
  change('links.addAltNames', [eth, ['long']], ['0', '1']),
  change('links.removeAltNames', [eth, ['long']], ['0', '1']),
  change('links.remove', [eth], ['0']),
  change('links.removeGroup', [7], ['0']),
  change(
    'addresses.add',
    [{ link: eth, address: v4, prefix: 24, peer: v4, broadcast: v4, label: 'eth0:1', validLifetime: 9 }],
    ['0', '0.link', '0.address', '0.prefix'],
  ),
  change('addresses.replace', [{ link: 2, address: v6, prefix: 64, anycast: v6, noDad: true }], ['0.link']),
  change('addresses.remove', [{ link: eth, address: v4, prefix: 24 }], ['0.address']),
  change(
    'routes.add',
    [{ destination: '10.0.0.0/8', via: v4, dev: eth, metric: 5, mtu: 1400, realms: { from: 1, to: 2 } }],
    ['0', '0.destination'],
  ),
  change(
    'routes.replace',
    [
      {
        destination: 'default',
        ways: [
          { via: v4, weight: 2, encap: encaps[0] },
          { dev: eth, realms: { from: 1 } },
        ],
      },
    ],
    ['0.destination'],
  ),
  ...encaps.map(encap =>
    change('routes.change', [{ destination: 'fd00::/64', dev: eth, encap, preference: 'high', expires: 9 }]),
  ),
  change('routes.append', [{ destination: '10.0.0.0/8', type: 'blackhole', table: 300 }]),
  change('routes.remove', [{ destination: '10.0.0.0/8', source: v4, nextHopId: 3 }], ['0.destination']),
  change(
    'rules.add',
    [
      {
        from: '10.0.0.0/8',
        inDev: eth,
        sourcePorts: [1, 2],
        users: [1, 2],
        realms: { to: 1 },
        tunnelId: 5,
        table: 100,
      },
    ],
    ['0'],
  ),
  change('rules.remove', [{ family: 6, destinationPorts: 53, action: 'prohibit' }], ['0', '0.family']),
  change(
    'neighbours.add',
    [{ link: eth, address: v4, mac: '00:00:00:01:00:01', state: 'permanent' }],
    ['0', '0.link', '0.address'],
  ),
  change('neighbours.change', [{ link: eth, address: v4 }]),
  change('neighbours.replace', [{ link: eth, address: v6, proxy: true }]),
  change('neighbours.remove', [{ link: eth, address: v4 }], ['0.address']),
  change(
    'fdb.add',
    [{ link: eth, mac: '00:00:00:01:00:01', table: 'master', state: 'static' }],
    ['0', '0.link', '0.mac'],
  ),
  change('fdb.append', [{ link: eth, mac: '00:00:00:00:00:00', remote: v4, via: 'eth1' }]),
  change('fdb.replace', [{ link: eth, mac: '00:00:00:01:00:01', nextHopId: 4 }]),
  change('fdb.remove', [{ link: eth, mac: '00:00:00:01:00:01' }], ['0.mac']),
  change('nextHops.add', [{ id: 1, via: v4, dev: eth, encap: encaps[0] }], ['0']),
  change(
    'nextHops.replace',
    [{ id: 9, group: [{ id: 1, weight: 4 }], resilient: { buckets: 8, idleTimer: 1 } }],
    ['0.group.0.id'],
  ),
  change('nextHops.remove', [1], ['0']),
  change(
    'qdiscs.add',
    [{ kind: 'tbf', link: eth, rate: 8000, burst: 1500, latency: 100, handle: '1:' }],
    ['0', '0.kind', '0.link', '0.rate', '0.burst'],
  ),
  change('qdiscs.add', [
    { kind: 'netem', link: eth, delay: 5, jitter: 3, loss: 0.1, reorder: 0.2, rate: 8000, parent: '1:1' },
  ]),
  change('qdiscs.add', [{ kind: 'fq', link: eth, buckets: 64, maxRate: 8000, pacing: true }]),
  change('qdiscs.add', [
    { kind: 'prio', link: eth, bands: 2, map: [0, 1, 1, 1, 0, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1] },
  ]),
  change('qdiscs.add', [{ kind: 'sfq', link: eth, perturb: 10, depth: 4 }]),
  change('qdiscs.replace', [{ kind: 'htb', link: eth, default: 16 }]),
  change('qdiscs.replace', [{ kind: 'pfifo', link: eth, limit: 16 }]),
  change('qdiscs.change', [{ kind: 'fq_codel', link: eth, target: 5000, ecn: true }]),
  change('qdiscs.remove', [{ link: eth, parent: 'root', handle: '1:' }], ['0', '0.link']),
  change(
    'classes.add',
    [{ link: eth, id: '1:10', parent: '1:', rate: 8e6, ceil: 9e6, burst: 3000 }],
    ['0', '0.link', '0.id', '0.rate'],
  ),
  change('classes.replace', [{ link: eth, id: '1:10', rate: 8e6, priority: 3 }]),
  change('classes.change', [{ link: eth, id: '1:10', rate: 8e6, quantum: 3 }]),
  change('classes.remove', [{ link: eth, id: '1:10' }], ['0', '0.link', '0.id']),
  change(
    'filters.add',
    [
      {
        link: eth,
        parent: '1:',
        from: '10.0.0.0/8',
        keys: [{ offset: 0, value: 1, mask: 1 }],
        classId: '1:10',
        mirror: 'ifb',
      },
    ],
    ['0', '0.link', '0.parent', '0.keys.0.offset'],
  ),
  change(
    'filters.add',
    [
      {
        link: eth,
        parent: 'ingress',
        protocol: 'ip',
        match: { ipProtocol: 6, sourcePort: 1, sourceMac: '00:00:00:01:00:01' },
        police: { rate: 8e6, burst: 3000, exceed: 'drop' },
        verdict: 'pass',
      },
    ],
    ['0.police.rate'],
  ),
  change('filters.add', [{ link: eth, parent: '1:', kind: 'matchall', redirect: 'ifb', priority: 3 }]),
  change(
    'filters.remove',
    [{ link: eth, parent: '1:', priority: 3, protocol: 'ip' }],
    ['0', '0.link', '0.parent'],
  ),
  change('namespaces.setId', [{ fd: 3, path: '/x' }, 7], ['0']),
  change('vlans.add', [{ link: eth, vlan: [2, 4], untagged: true }], ['0', '0.link', '0.vlan']),
  change('vlans.remove', [{ link: eth, vlan: 4, self: true }], ['0.vlan']),
])

const listings = Object.fromEntries([
  listing('links.list', [{ master: 3, kind: 'bridge', names: true }]),
  listing('links.get', [3], ['0']),
  listing('addresses.list', [{ link: 3, family: 4 }]),
  listing('routes.list', [
    { dev: 3, family: 4, table: 7, destination: 'default', via: v4, type: 'unicast', names: true },
  ]),
  listing('routes.get', [v4, { from: v4, inDev: 3, outDev: 4, mark: 7 }], ['0']),
  listing('rules.list', [{ family: 4 }]),
  listing('neighbours.list', [{ link: 3, family: 4, proxy: true }]),
  listing('fdb.list', [{ bridge: 3, link: 4 }]),
  listing('nextHops.list', [{ dev: 3, master: 4, groups: true }]),
  listing('nextHops.get', [3], ['0']),
  listing('nextHops.buckets', [3], ['0']),
  listing('qdiscs.list', [{ link: 3 }]),
  listing('classes.list', [3], ['0']),
  listing('filters.list', [{ link: 3, parent: '1:' }], ['0', '0.link']),
  listing('namespaces.list', []),
  listing('namespaces.idOf', [{ fd: 3, path: '/x' }], ['0']),
  listing('vlans.list', [{ link: 3 }]),
])

const within =
  (act: (open: rtnl.Route, ...args: never[]) => unknown) =>
  async (...args: never[]) => {
    await using open = route()
    await act(open, ...args)
  }
const build = ({ links }: rtnl.Batch) => links.remove('eth0')

const named = { name: 'x0' }
const makers: Readonly<Record<string, Call>> = {
  bridge: { args: [{ ...named, stp: false }], needs: ['0'], call: rtnl.bridge },
  veth: { args: [{ ...named, peer: named }], needs: ['0'], call: rtnl.veth },
  vxlan: { args: [{ ...named, vni: 3 }], needs: ['0'], call: rtnl.vxlan },
  macvlan: { args: [{ ...named, link: eth }], needs: ['0'], call: rtnl.macvlan },
  vlan: { args: [{ ...named, link: eth, id: 3 }], needs: ['0'], call: rtnl.vlan },
  ifb: { args: [named], needs: ['0'], call: rtnl.ifb },
  dummy: { args: [named], needs: ['0'], call: rtnl.dummy },
  vrf: { args: [{ ...named, table: 3 }], needs: ['0'], call: rtnl.vrf },
  geneve: { args: [{ ...named, vni: 3 }], needs: ['0'], call: rtnl.geneve },
  tunnel: { args: [{ ...named, kind: 'gre' }], needs: ['0'], call: rtnl.tunnel },
  wireguard: { args: [named], needs: ['0'], call: rtnl.wireguard },
  bond: { args: [named], needs: ['0'], call: rtnl.bond },
  placedMessages: { args: [build], needs: ['0'], call: rtnl.placedMessages },
  openRoute: { args: [{}], call: rtnl.openRoute },
  'Route.batch': { args: [build], needs: ['0'], call: within((open, given: never) => open.batch(given)) },
  'Route.prepare': { args: [build], needs: ['0'], call: within((open, given: never) => open.prepare(given)) },
  'Route.monitor': {
    args: [['links', 'routes'], { receiveBuffer: 65536 }],
    needs: ['0'],
    call: within((open, ...given) => open.monitor(...(given as unknown as [[]])).close()),
  },
}

test(
  'every change of rtnl tells what is wrong with its arguments',
  () => survivesWrongArguments(changes),
  60_000,
)
test('every listing of rtnl tells what is wrong with its arguments', () => survivesWrongArguments(listings))
test('every maker of rtnl tells what is wrong with its arguments', () => survivesWrongArguments(makers))

test('no call of rtnl is left out', () => {
  expect(untold(rtnl, makers, ['NetlinkError', 'NetNamespace.close', 'Route.close'])).toEqual([])
})
