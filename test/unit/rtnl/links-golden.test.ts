import { expect, test } from 'vitest'
import {
  bond,
  dummy,
  ifb,
  type MacvlanSettings,
  macvlan,
  type openRoute,
  vlan,
  vrf,
  vxlan,
} from '../../../src/rtnl/index.ts'
import { linkOf } from '../../../src/rtnl/link/link.ts'
import { changeAltNames } from '../../../src/rtnl/link/removals.ts'
import { addLink, changeLink } from '../../../src/rtnl/link/requests.ts'
import type { LinkMessage } from '../../../src/rtnl/wire/index.ts'
import { answers, goldenTests, messagesOf, roundTrips, type Said } from './golden.ts'

const fd4 = { fd: 4 } as NonNullable<Parameters<typeof openRoute>[0]>['namespace'] & object
const longName = 'the-left-end-of-the-cable'
const { remote, local } = { remote: '192.168.2.201', local: '192.168.2.1' }
const tunnel = { vni: 42, dev: 'a0', remote, local, port: 4789 }
const group6 = { remote: 'ff05::100', local: 'fd00::1', port: 8472, dontFragment: 'set' } as const

const portSettings = {
  ...{ learning: false, flood: false, multicastFlood: false, broadcastFlood: false },
  ...{ hairpin: true, guard: true, fastLeave: true, neighbourSuppress: true, multicastToUnicast: true },
  ...{ locked: true, cost: 10, priority: 16, state: 3 },
}

const source = (macvlan: MacvlanSettings) => changeLink({ index: 22, kind: 'macvlan', macvlan })

const said: Said[] = [
  [
    'vxlan-add',
    addLink(vxlan({ name: 'vx0', ...tunnel, ttl: 16, ageingTime: 100, learning: false, l2Miss: true })),
  ],
  [
    'vxlan-add-6',
    addLink(
      vxlan({ name: 'vx0', vni: 42, dev: 'a0', ...group6, sourcePorts: [32768, 61000], learning: true }),
    ),
  ],
  ['vxlan-external', addLink(vxlan({ name: 'vx0', external: true, learning: false, port: 4789 }))],
  ['macvlan-add', addLink(macvlan({ name: 'mv0', link: 'a0', mode: 'bridge' }))],
  ['macvlan-passthru', addLink(macvlan({ name: 'mv0', link: 'a0', mode: 'passthru', noPromiscuous: true }))],
  ['macvtap-add', addLink({ name: 'mt0', kind: 'macvtap', link: 'a0', macvlan: { mode: 'vepa' } })],
  [
    'ipvlan-add',
    addLink({ name: 'iv0', kind: 'ipvlan', link: 'a0', ipvlan: { mode: 'l3s', isolation: 'private' } }),
  ],
  ['ifb-add', addLink(ifb({ name: 'ifb7', up: true }))],
  ['dummy-add', addLink(dummy({ name: 'dm0', mac: '02:00:00:00:00:03' }))],
  ['vlan-add-qinq', addLink(vlan({ name: 'a0.6', link: 'a0', id: 6, protocol: '802.1ad', gvrp: true }))],
  ['vlan-add', addLink(vlan({ name: 'a0.5', link: 'a0', id: 5 }))],
  ['vrf-add', addLink(vrf({ name: 'red', table: 100 }))],
  [
    'bond-add',
    addLink(
      bond({
        name: 'bond0',
        mode: '802.3ad',
        miimon: 100,
        lacpRate: 'fast',
        transmitHashPolicy: 'layer3+4',
        minLinks: 1,
      }),
    ),
  ],
  [
    'bond-backup',
    addLink(bond({ name: 'bond0', mode: 'active-backup', miimon: 100, upDelay: 200, failOverMac: 'active' })),
  ],
  [
    'bond-arp',
    addLink(
      bond({
        ...{
          name: 'bond0',
          mode: 'active-backup',
          arpInterval: 100,
          arpValidate: 'all',
          arpAllTargets: 'all',
        },
        ...{ arpTargets: ['192.168.0.1', '192.168.0.2'], nsTargets: ['fd00::1', 'fd00::2'] },
        ...{ primaryReselect: 'better', missedMax: 3 },
      }),
    ),
  ],
  [
    'bond-ad',
    addLink(
      bond({
        ...{ name: 'bond0', mode: '802.3ad', adSelect: 'bandwidth', lacpActive: true, adUserPortKey: 37 },
        ...{ adActorSystemPriority: 1000, adActorSystem: '02:00:00:00:00:09' },
      }),
    ),
  ],
  [
    'bond-rest',
    addLink(
      bond({
        ...{ name: 'bond0', mode: 'balance-alb', miimon: 100, useCarrier: false, peerNotifyDelay: 200 },
        ...{ resendIgmp: 3, peerNotifications: 4, allSlavesActive: true, learningInterval: 5 },
        ...{ packetsPerSlave: 6, tlbDynamicLb: true },
      }),
    ),
  ],
  ['macvlan-source', source({ macs: ['02:00:00:00:00:05', '02:00:00:00:00:06'] })],
  ['macvlan-source-add', source({ addMac: '02:00:00:00:00:05' })],
  ['macvlan-source-del', source({ removeMac: '02:00:00:00:00:05' })],
  ['macvlan-source-flush', source({ macs: [] })],
  ['altname-add', changeAltNames('a0', ['left', longName], true)],
  ['altname-del', changeAltNames('a0', ['left'], false)],
  ['namespace-move', changeLink({ index: 7, namespace: fd4 })],
  ['port-settings', changeLink({ name: 'a0', port: portSettings }), 1],
]

goldenTests(said)
roundTrips('port-forward-mask')
answers('link-kinds-dump')

test('kinds, counters and names of listed links are decoded', () => {
  const links = messagesOf('link-kinds-dump').map(({ value }) => linkOf(value as LinkMessage))
  const named = (name: string) => links.find(link => link.name === name)
  expect(named('vx0')?.vxlan).toMatchObject({ ...tunnel, dev: 7, learning: true, dontFragment: 'unset' })
  expect(named('vx6')?.vxlan).toMatchObject({ remote: 'ff05::100', local: 'fd00::1', vni: 43 })
  expect(named('mv0')).toMatchObject({ kind: 'macvlan', peer: 7, macvlan: { mode: 'bridge' } })
  expect(named('ifb7')?.kind).toBe('ifb')
  expect(named('a0')).toMatchObject({ altNames: [longName], statistics: { rxBytes: 0, txDropped: 0 } })
})

test('a listed vlan has its protocol and its flags', () => {
  const flags = { gvrp: true, mvrp: false, reorderHeader: false, looseBinding: false, bridgeBinding: false }
  expect(linkOf(messagesOf('vlan-add-qinq')[0]!.value as LinkMessage)).toMatchObject({
    ...{ peer: 7, kind: 'vlan', vlan: { id: 6, protocol: '802.1ad', ...flags } },
  })
})

test('a listed bond has its targets and its part in 802.3ad', () => {
  const listed = (vector: string) => linkOf(messagesOf(vector)[0]!.value as LinkMessage)
  expect(listed('bond-arp').bond).toMatchObject({
    ...{ arpTargets: ['192.168.0.1', '192.168.0.2'], nsTargets: ['fd00::1', 'fd00::2'], arpValidate: 'all' },
  })
  expect(listed('bond-ad').bond).toMatchObject({ adSelect: 'bandwidth', adActorSystem: '02:00:00:00:00:09' })
  expect(listed('macvlan-source').macvlan).toMatchObject({ macs: ['02:00:00:00:00:05', '02:00:00:00:00:06'] })
})
