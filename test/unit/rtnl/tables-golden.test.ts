import { expect, test } from 'vitest'
import type { Lookup } from '../../../src/rtnl/index.ts'
import { fdbEntryOf, removeFdbEntry, setFdbEntry } from '../../../src/rtnl/neighbour/fdb-entry.ts'
import { neighbourOf, removeNeighbour, setNeighbour } from '../../../src/rtnl/neighbour/neighbour.ts'
import type { Operation } from '../../../src/rtnl/operation.ts'
import { addRoute, appendRoute, getRoute } from '../../../src/rtnl/route/requests.ts'
import { addRule, removeRule, ruleOf } from '../../../src/rtnl/rule/rule.ts'
import type { NeighbourMessage, RuleMessage } from '../../../src/rtnl/wire/index.ts'
import { answers, goldenTests, messagesOf, type Said } from './golden.ts'

const [link, mac] = ['a0', '00:00:00:01:01:09']
const [fdbMac, all] = ['00:00:00:01:01:02', '00:00:00:00:00:00']
const lookUp = (to: string, lookup: Lookup): Operation => ({
  refers: [],
  requests: names => [getRoute(to, lookup, names)],
})
const metrics = {
  ...{ mtu: 1400, locked: ['mtu'] as const, advmss: 1300, hopLimit: 9, initcwnd: 20, initrwnd: 30 },
  ...{ window: 65535, quickAck: true },
}

const said: Said[] = [
  ['neighbour-add', setNeighbour({ link, address: '192.168.1.9', mac }, 'add')],
  [
    'neighbour-add-6',
    setNeighbour({ link, address: 'fd00::9', mac, state: 'reachable', router: true }, 'add'),
  ],
  [
    'neighbour-change',
    setNeighbour({ link, address: '192.168.1.9', mac: '00:00:00:01:01:0a', state: 'stale' }, 'change'),
  ],
  ['neighbour-replace', setNeighbour({ link, address: '192.168.1.9', mac }, 'replace')],
  ['neighbour-proxy', setNeighbour({ link, address: '192.168.1.77', proxy: true }, 'add')],
  ['neighbour-del', removeNeighbour({ link, address: '192.168.1.9' })],
  ['fdb-add', setFdbEntry({ link, mac: fdbMac, table: 'master', state: 'static' }, 'add')],
  [
    'fdb-append',
    setFdbEntry({ link: 'vx0', mac: all, remote: '192.168.2.202', port: 4790, vni: 43 }, 'append'),
  ],
  ['fdb-replace', setFdbEntry({ link, mac: fdbMac, table: 'master', state: 'dynamic' }, 'replace')],
  ['fdb-del', removeFdbEntry({ link, mac: fdbMac, table: 'master' })],
  [
    'rule-from',
    addRule({ from: '192.168.1.0/24', to: '10.0.0.0/8', inDev: 'lo', priority: 100, table: 100 }),
  ],
  ['rule-mark', addRule({ family: 4, mark: 0x10, mask: 0xff, table: 300, priority: 101 })],
  [
    'rule-ports',
    addRule({
      family: 4,
      ipProtocol: 6,
      sourcePorts: [1000, 2000],
      destinationPorts: 443,
      outDev: 'lo',
      table: 100,
      priority: 102,
    }),
  ],
  [
    'rule-not-6',
    addRule({
      from: 'fd00::/64',
      invert: true,
      users: [1000, 1001],
      table: 254,
      suppressPrefixLength: 0,
      priority: 103,
    }),
  ],
  ['rule-prohibit', addRule({ from: '192.168.9.0/24', action: 'prohibit', priority: 104 })],
  ['rule-goto', addRule({ from: '192.168.8.0/24', action: 'goto', goto: 32766, priority: 105 })],
  ['rule-del', removeRule({ from: '192.168.1.0/24', priority: 100, table: 100 })],
  ['route-unreachable-6', addRoute({ destination: 'fd00:9::/64', type: 'unreachable', metric: 7 })],
  ['route-prohibit', addRoute({ destination: '10.3.0.0/16', type: 'prohibit', table: 100 })],
  ['route-throw', addRoute({ destination: '10.4.0.0/16', type: 'throw', table: 100 })],
  ['route-append', appendRoute({ destination: '10.5.0.0/16', via: '192.168.1.202', dev: 'lo', tos: 0x10 })],
  ['route-metrics', addRoute({ destination: '10.6.0.0/16', via: '192.168.1.201', ...metrics })],
  [
    'route-multipath-6',
    addRoute({
      destination: 'fd00:8::/64',
      ways: [
        { via: 'fd00::2', dev: link, weight: 2 },
        { via: 'fd00::3', dev: link },
      ],
    }),
  ],
  ['route-via-6', addRoute({ destination: '10.9.0.0/16', via: 'fe80::1', dev: link })],
  ['route-get', lookUp('10.0.0.1', { from: '192.168.1.1', inDev: 'lo', mark: 0x10 })],
]

goldenTests(said)
answers('neighbour-dump', 'neighbour-proxy-dump', 'fdb-dump', 'rule-dump', 'route-got')

test('listed neighbours are decoded', () => {
  const found = [...messagesOf('neighbour-dump'), ...messagesOf('neighbour-proxy-dump')]
    .filter(({ type }) => type === 28)
    .map(({ value }) => neighbourOf(value as NeighbourMessage))
  const known = {
    ...{ link: 7, proxy: false, router: false, external: false, managed: false, offloaded: false },
    ...{ probes: 0, ages: expect.anything() },
  }
  expect(found).toContainEqual({ ...known, family: 4, address: '192.168.1.9', mac, state: 'permanent' })
  const router = { family: 6, address: 'fd00::9', mac: '00:00:00:01:01:0a', state: 'stale', router: true }
  expect(found).toContainEqual({ ...known, ...router })
  expect(found).toContainEqual(expect.objectContaining({ address: '192.168.1.77', proxy: true }))
})

test('listed forwarding entries are decoded', () => {
  const found = messagesOf('fdb-dump')
    .filter(({ type }) => type === 28)
    .map(({ value }) => fdbEntryOf(value as NeighbourMessage))
  const usual = { sticky: false, external: false, offloaded: false, locked: false, ages: expect.anything() }
  expect(found).toContainEqual({
    ...usual,
    link: 7,
    master: 5,
    mac: fdbMac,
    table: 'master',
    state: 'static',
  })
  const peer = { remote: '192.168.2.202', port: 4790, vni: 43 }
  expect(found).toContainEqual({ ...usual, ...peer, link: 9, mac: all, table: 'self', state: 'permanent' })
})

test('listed rules equal the rules that were added', () => {
  const found = messagesOf('rule-dump').map(({ value }) => ruleOf(value as RuleMessage))
  const common = { family: 4, protocol: 0 }
  expect(found).toEqual([
    { family: 4, priority: 0, action: 'lookup', table: 255, protocol: 2 },
    {
      ...{ ...common, priority: 100, action: 'lookup', table: 100 },
      ...{ from: '192.168.1.0/24', to: '10.0.0.0/8', inDev: 'lo' },
    },
    { ...common, priority: 101, action: 'lookup', table: 300, mark: 0x10, mask: 0xff },
    {
      ...{ ...common, priority: 102, action: 'lookup', table: 100, outDev: 'lo' },
      ...{ ipProtocol: 6, sourcePorts: [1000, 2000], destinationPorts: 443 },
    },
    { ...common, priority: 104, action: 'prohibit', from: '192.168.9.0/24', invert: true },
    { ...common, priority: 105, action: 'goto', from: '192.168.8.0/24', goto: 32766 },
    { family: 4, priority: 32766, action: 'lookup', table: 254, protocol: 2 },
    { family: 4, priority: 32767, action: 'lookup', table: 253, protocol: 2 },
  ])
})
