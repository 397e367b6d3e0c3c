import { expect, test } from 'vitest'
import { Writer } from '../../../src/base/index.ts'
import {
  type Body,
  type Message,
  messages,
  NLM_F_ACK,
  NLM_F_REQUEST,
  writeMessage,
} from '../../../src/netlink/index.ts'
import { addAddress, removeAddress } from '../../../src/rtnl/address.ts'
import { bridge, type openRoute, veth } from '../../../src/rtnl/index.ts'
import { addLink, changeLink, removeGroup, removeLink } from '../../../src/rtnl/link-requests.ts'
import type { Names, Operation } from '../../../src/rtnl/operation.ts'
import { addRoute, removeRoute, replaceRoute } from '../../../src/rtnl/route-requests.ts'
import * as wire from '../../../src/rtnl/wire/index.ts'
import { readVector } from '../../support/vectors.ts'

const indexes: Record<string, number> = { lo: 1, xcbr0: 5, a0: 7 }
const names: Names = { indexOf: link => (typeof link === 'number' ? link : indexes[link]!), given: () => 0 }
const fd4 = { fd: 4 } as NonNullable<Parameters<typeof openRoute>[0]>['namespace'] & object

const isolated = { name: 'a0', port: { isolated: true, learning: false } }
const peer = { name: 'b0', mtu: 1400, mac: '02:00:00:00:00:02', namespace: fd4 }
const ways = [
  { via: '192.168.1.201', dev: 'lo' },
  { via: '192.168.1.202', dev: 'lo', weight: 3, onlink: true },
]
const nfCalls = { nfCallIptables: false, nfCallIp6tables: false, nfCallArptables: false }

/** What `ip` and `bridge` said, and the same in our words; `which` of our messages it is, if not the first. */
const said: [vector: string, operation: Operation, which?: number][] = [
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
  ['address-add-4', addAddress({ link: 'lo', address: '192.168.0.250', prefix: 24 })],
  ['address-add-6', addAddress({ link: 'lo', address: 'fd00::c0a8:fa', prefix: 120, noDad: true })],
  ['address-add-peer', addAddress({ link: 'lo', address: '172.30.0.3', peer: '172.30.0.2', prefix: 32 })],
  ['address-del', removeAddress({ link: 'lo', address: '192.168.0.250', prefix: 24 })],
  ['route-default-4', addRoute({ destination: 'default', via: '192.168.1.201' })],
  ['route-dev', addRoute({ destination: '10.1.0.0/16', dev: 'lo', source: '192.168.1.1', mtu: 1400 })],
  ['route-multipath', replaceRoute({ destination: 'default', table: 300, ways })],
  ['route-blackhole', addRoute({ destination: '10.2.0.0/16', type: 'blackhole' })],
  ['route-del', removeRoute({ destination: '10.2.0.0/16', via: '192.168.1.201' })],
]

const others = ['bridge-add-index', 'route-default-6', 'link-dump', 'address-dump', 'route-dump']

function bodyOf({ type, body }: Pick<Message, 'type' | 'body'>): Body<unknown> {
  if (type >= wire.RTM_NEWROUTE) return wire.routeMessage as Body<unknown>
  if (type >= wire.RTM_NEWADDR) return wire.addressMessage as Body<unknown>
  return (body.bytes[body.offset] === wire.AF_BRIDGE ? wire.portMessage : wire.linkMessage) as Body<unknown>
}

function all(vector: string): (Message & { codec: Body<unknown>; value: unknown })[] {
  const found = readVector(`rtnl/${vector}`).datagrams.flatMap(datagram => [...messages(datagram)])
  return found
    .filter(({ type }) => type >= wire.RTM_NEWLINK)
    .map(message => {
      const codec = bodyOf(message)
      return { ...message, codec, value: codec.read(message.body) }
    })
}

function encode(type: number, flags: number, write: (out: Writer) => void): Uint8Array {
  const out = new Writer()
  writeMessage(out, { type, flags, sequence: 0 }, write)
  return out.done()
}

test.each(said)(
  '%s: our words make the bytes that the tool sent, attribute by attribute',
  (vector, operation, which = 0) => {
    const [theirs] = all(vector)
    const ours = operation.requests(names)[which]!
    expect([ours.type, (ours.flags ?? 0) | NLM_F_REQUEST | NLM_F_ACK]).toEqual([theirs!.type, theirs!.flags])
    const bytes = encode(ours.type, theirs!.flags, out => ours.body.write(out, ours.value))
    const [message] = messages(bytes)
    expect(bodyOf(message!).read(message!.body)).toEqual(theirs!.value)
    expect(bytes.length).toBe(readVector(`rtnl/${vector}`).datagrams[0]!.length)
  },
)

test.each(said.map(([vector]) => vector).concat('bridge-add-index', 'route-default-6'))(
  '%s: what is decoded encodes to the same bytes',
  vector => {
    const [message] = all(vector)
    const bytes = encode(message!.type, message!.flags, out => message!.codec.write(out, message!.value))
    expect(Buffer.from(bytes).toString('hex')).toBe(
      Buffer.from(readVector(`rtnl/${vector}`).datagrams[0]!).toString('hex'),
    )
  },
)

test.each(['link-dump', 'address-dump', 'route-dump'])(
  '%s: nothing of the kernel’s answer is lost in decoding and encoding',
  vector => {
    for (const { type, flags, value, codec } of all(vector)) {
      const bytes = encode(type, flags, out => codec.write(out, value))
      const [again] = messages(bytes)
      expect(codec.read(again!.body)).toEqual(value)
    }
  },
)

/** iproute2 6.1 spells out ::/0 for an IPv6 default route; the kernel asks for it no more than for 0.0.0.0/0. */
test('route-default-6: as the tool, but for a destination of zeroes', () => {
  const [theirs] = all('route-default-6')
  const spec = { destination: 'default', via: 'fd00::2', dev: 'lo', metric: 50 }
  const ours = addRoute(spec).requests(names)[0]!
  const value = theirs!.value as wire.RouteMessage
  expect(value.attributes.destination).toEqual(new Uint8Array(16))
  const [message] = messages(encode(ours.type, 0, out => ours.body.write(out, ours.value)))
  const { destination: _, ...attributes } = value.attributes
  expect(wire.routeMessage.read(message!.body)).toEqual({ ...value, attributes })
})

test('bridge-add decodes to these values', () => {
  expect(all('bridge-add')[0]?.value).toEqual({
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

test('every vector says where it comes from', () => {
  for (const vector of [...said.map(([name]) => name), ...others]) {
    const { command, tool, kernel } = readVector(`rtnl/${vector}`)
    expect(command).toMatch(/^(ip|bridge) /)
    expect(tool).toMatch(/\d+\.\d+/)
    expect(kernel).toMatch(/^Linux /)
  }
})
