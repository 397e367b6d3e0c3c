import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { valueText } from '../../../src/base/trace/value-text.ts'
import { Connection, messages, type NetlinkTraceValue, NLMSG_DONE } from '../../../src/netlink/index.ts'
import { bridge, Route, veth } from '../../../src/rtnl/index.ts'
import { routeDecoder } from '../../../src/rtnl/trace.ts'
import { linkMessage, RTM_NEWLINK } from '../../../src/rtnl/wire/index.ts'
import { FakeKernel } from '../../support/netlink-fake.ts'
import { Traces } from '../../support/traces.ts'
import { readVector } from '../../support/vectors.ts'

function traced(): [FakeKernel, Route, Traces<NetlinkTraceValue>] {
  const kernel = new FakeKernel()
  const connection = new Connection(kernel, { decoder: routeDecoder })
  return [kernel, new Route(connection), new Traces('netlink')]
}

test('an rtnetlink batch is traced with the kernel’s names, our operations and readable addresses', async () => {
  const [, route, traces] = traced()
  using _ = traces
  await route.batch(({ links, addresses, routes, neighbours, qdiscs }) => {
    links.add(bridge({ name: 'xcbr0', index: 1000, mac: '00:00:00:01:00:fa', stp: false, up: true }))
    links.add(veth({ name: 'a', index: 5, peer: { name: 'b', index: 6 } }))
    addresses.add({ link: 1000, address: 'fd00::1', prefix: 64, noDad: true })
    routes.add({ destination: '10.0.0.0/8', via: '192.168.0.1' })
    neighbours.add({ link: 5, address: '192.168.0.7', mac: '00:00:00:01:00:07' })
    qdiscs.add({ link: 5, parent: 'root', handle: '1:', kind: 'pfifo', limit: 9 })
  })
  expect(traces.lines.map(line => line.replace(/sequence: \d+, flags: \S+ /, ''))).toEqual([
    '-> route: RTM_NEWLINK create bridge xcbr0 {body: {index: 1000, flags: UP, change: UP, attributes: {mac: 00:00:00:01:00:fa, name: xcbr0, linkInfo: {kind: bridge, bridge: {stp: false}}}}}',
    '-> route: RTM_NEWLINK create veth a {body: {index: 5, attributes: {name: a, linkInfo: {kind: veth, veth: {peer: {index: 6, attributes: {name: b}}}}}}}',
    '-> route: RTM_NEWADDR add address fd00::1/64 (1000) {body: {family: AF_INET6, prefix: 64, flags: 2, index: 1000, attributes: {local: fd00::1, address: fd00::1}}}',
    '-> route: RTM_NEWROUTE add route 10.0.0.0/8 {body: {family: AF_INET, destinationLength: 8, table: 254, protocol: 3, type: 1, attributes: {destination: 10.0.0.0, gateway: 192.168.0.1}}}',
    '-> route: RTM_NEWNEIGH add neighbour 192.168.0.7 (5) {body: {family: AF_INET, index: 5, state: 128, attributes: {destination: 192.168.0.7, mac: 00:00:00:01:00:07}}}',
    '-> route: RTM_NEWQDISC add pfifo 5 root {body: {index: 5, handle: 1:, parent: root, attributes: {kind: pfifo, pfifo: {limit: 9}}}}',
    '<- route: ack RTM_NEWQDISC add pfifo 5 root (T ms) {sequence: 6, flags: CAPPED|ACK_TLVS}',
  ])
})

test('the trace of a link has the size of unknown attributes, and only counters that are not 0', async () => {
  const [kernel, route, traces] = traced()
  using _ = traces
  const unknown = [
    { type: 900, bytes: new Uint8Array(8) },
    { type: 901, bytes: new Uint8Array(4) },
  ]
  kernel.handler = seen => {
    const value = { index: 3, flags: 0x11043, change: 0xffffffff, attributes: { name: 'a', unknown } }
    kernel.dump(seen, { type: RTM_NEWLINK, body: linkMessage, values: [value] })
  }
  await route.links.list()
  expect(traces.lines[1]).toBe(
    '<- route: RTM_NEWLINK list links {sequence: 1, flags: MULTI, body: {index: 3, flags: BROADCAST|MULTICAST|UP|RUNNING|LOWER_UP, change: all, attributes: {name: a, unknown: "2 attributes, 12 bytes"}}}',
  )
})

const vectors = readdirSync('test/vectors/rtnl')
  .filter(file => file.endsWith('.hex'))
  .map(file => file.replace('.hex', ''))

test.for(vectors)('what iproute2 and the kernel said is told whole: %s', name => {
  for (const datagram of readVector(`rtnl/${name}`).datagrams)
    for (const message of messages(datagram)) {
      if (message.type <= NLMSG_DONE) continue
      expect(routeDecoder.nameOf(message.type)).toMatch(/^RTM_(NEW|DEL|GET|SET)[A-Z]+$/)
      const text = valueText(routeDecoder.read(message))
      expect(text).toMatch(/^\{.*\}$/)
      expect(text).not.toMatch(/undefined|\[object|NaN/)
      expect(message.body.left).toBe(0)
    }
})
