import { expect, test } from 'vitest'
import { messages } from '../../../src/netlink/index.ts'
import { removeAddress, setAddress } from '../../../src/rtnl/address/address.ts'
import { bridge, type openRoute, veth } from '../../../src/rtnl/index.ts'
import { removeGroup, removeLink } from '../../../src/rtnl/link/removals.ts'
import { addLink, changeLink } from '../../../src/rtnl/link/requests.ts'
import { addRoute, removeRoute, replaceRoute } from '../../../src/rtnl/route/requests.ts'
import * as wire from '../../../src/rtnl/wire/index.ts'
import { answers, encode, goldenTests, messagesOf, names, roundTrips, type Said } from './golden.ts'

const fd4 = { fd: 4 } as NonNullable<Parameters<typeof openRoute>[0]>['namespace'] & object

const isolated = { name: 'a0', port: { isolated: true, learning: false } }
const peer = { name: 'b0', mtu: 1400, mac: '02:00:00:00:00:02', namespace: fd4 }
const ways = [
  { via: '192.168.1.201', dev: 'lo' },
  { via: '192.168.1.202', dev: 'lo', weight: 3, onlink: true },
]
const nfCalls = { nfCallIptables: false, nfCallIp6tables: false, nfCallArptables: false }

/**
 * Bytes that `ip` and `bridge` sent, and the same operation in the library. The number is the index of its
 * message, if not 0.
 */
const said: Said[] = [
  [
    'bridge-add',
    addLink(
      bridge({
        name: 'xcbr0',
        mac: '00:00:00:01:00:fa',
        mtu: 1400,
        group: 7,
        up: true,
        groupFwdMask: 0x4000,
        stp: false,
        ...nfCalls,
      }),
    ),
  ],
  ['bridge-change', changeLink({ index: 2, bridge: { ageingTime: 100 } })],
  ['veth-add', addLink(veth({ name: 'a0', mac: '02:00:00:00:00:01', peer }))],
  ['lo-up', changeLink({ index: 1, up: true })],
  ['port-attach', changeLink({ index: 7, mtu: 1400, master: 'xcbr0', group: 7, up: true })],
  ['addr-gen-mode', changeLink({ index: 1, addrGenMode: 'none' })],
  ['nomaster', changeLink({ index: 1, master: null })],
  ['rename', changeLink({ name: 'a0', newName: 'a1' })],
  ['port-isolated', changeLink(isolated), 1],
  ['link-del', removeLink(7)],
  ['group-del', removeGroup(7)],
  ['address-add-4', setAddress({ link: 'lo', address: '192.168.0.250', prefix: 24 }, 'add')],
  ['address-add-6', setAddress({ link: 'lo', address: 'fd00::c0a8:fa', prefix: 120, noDad: true }, 'add')],
  [
    'address-add-peer',
    setAddress({ link: 'lo', address: '172.30.0.3', peer: '172.30.0.2', prefix: 32 }, 'add'),
  ],
  ['address-del', removeAddress({ link: 'lo', address: '192.168.0.250', prefix: 24 })],
  ['route-default-4', addRoute({ destination: 'default', via: '192.168.1.201' })],
  ['route-dev', addRoute({ destination: '10.1.0.0/16', dev: 'lo', source: '192.168.1.1', mtu: 1400 })],
  ['route-multipath', replaceRoute({ destination: 'default', table: 300, ways })],
  ['route-blackhole', addRoute({ destination: '10.2.0.0/16', type: 'blackhole' })],
  ['route-del', removeRoute({ destination: '10.2.0.0/16', via: '192.168.1.201' })],
]

goldenTests(said)
roundTrips('bridge-add-index', 'route-default-6')
answers('link-dump', 'address-dump', 'route-dump')

/**
 * iproute2 6.1 sends ::/0 for an IPv6 default route. The kernel does not need it, as it does not need
 * 0.0.0.0/0.
 */
test("route-default-6: the operation encodes to the tool's bytes without a destination of zeros", () => {
  const [theirs] = messagesOf('route-default-6')
  const spec = { destination: 'default', via: 'fd00::2', dev: 'lo', metric: 50 }
  const ours = addRoute(spec).requests(names)[0]!
  const value = theirs!.value as wire.RouteMessage
  expect(value.attributes.destination).toEqual(new Uint8Array(16))
  const [message] = messages(encode(ours.type, 0, out => ours.body.write(out, ours.value)))
  const { destination: _, ...attributes } = value.attributes
  expect(wire.routeMessage.read(message!.body)).toEqual({ ...value, attributes })
})

test('bridge-add decodes to these values', () => {
  expect(messagesOf('bridge-add')[0]?.value).toEqual({
    family: 0,
    pad: 0,
    hardware: 0,
    index: 0,
    flags: wire.IFF_UP,
    change: wire.IFF_UP,
    attributes: {
      mac: Uint8Array.of(0, 0, 0, 1, 0, 0xfa),
      mtu: 1400,
      group: 7,
      name: 'xcbr0',
      linkInfo: { kind: 'bridge', bridge: { groupFwdMask: 0x4000, stp: false, ...nfCalls } },
    },
  })
})
