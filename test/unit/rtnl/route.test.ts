import { expect, test } from 'vitest'
import { Connection, NLM_F_DUMP } from '../../../src/netlink/index.ts'
import { bridge, Route, veth } from '../../../src/rtnl/index.ts'
import {
  addressMessage,
  linkMessage,
  RTM_GETLINK,
  RTM_NEWADDR,
  RTM_NEWLINK,
} from '../../../src/rtnl/wire/index.ts'
import { FakeKernel, type Seen } from '../../support/netlink-fake.ts'

/** A kernel with these interfaces. It finds them by name, and accepts every other request. */
function kernelWith(indexes: Readonly<Record<string, number>>): [FakeKernel, Route] {
  const kernel = new FakeKernel()
  kernel.handler = seen => answer(kernel, indexes, seen)
  return [kernel, new Route(new Connection(kernel))]
}

function answer(kernel: FakeKernel, indexes: Readonly<Record<string, number>>, seen: Seen): void {
  if (seen.type === RTM_GETLINK) find(kernel, indexes, seen)
  else kernel.ack(seen)
}

function find(kernel: FakeKernel, indexes: Readonly<Record<string, number>>, seen: Seen): void {
  const links = Object.entries(indexes).map(([name, index]) => ({ index, attributes: { name } }))
  if (seen.flags & NLM_F_DUMP) kernel.dump(seen, { type: RTM_NEWLINK, body: linkMessage, values: links })
  else {
    const { name } = linkMessage.read(seen.body).attributes
    const value = links.find(link => link.attributes.name === name)
    if (value) kernel.reply(seen, { type: RTM_NEWLINK, body: linkMessage, value })
    kernel.ack(seen, { errno: value ? 0 : 19 })
  }
}

const links = (sent: readonly Seen[] | undefined) =>
  (sent ?? []).filter(({ type }) => type === RTM_NEWLINK).map(({ body }) => linkMessage.read(body))

test('3 bridges with addresses and 240 taps by index take two datagrams and no query', async () => {
  const [kernel, route] = kernelWith({})
  await route.batch(({ links, addresses }) => {
    for (let net = 0; net < 3; net++) {
      links.add(bridge({ name: `xcbr${net}`, index: 100_000 + net, stp: false, up: true }))
      addresses.add({ link: 100_000 + net, address: `192.168.${net}.250`, prefix: 24 })
    }
    for (let tap = 0; tap < 240; tap++)
      links.change({ name: `t${tap}`, master: 100_000 + (tap % 3), mtu: 1500, up: true, group: 7 })
  })
  expect(kernel.sends.map(sent => sent.length)).toEqual([128, 118])
})

test('names of links are resolved in one datagram, each once', async () => {
  const [kernel, route] = kernelWith({ xcbr0: 5, xcbr1: 6 })
  await route.batch(({ links, addresses }) => {
    for (const name of ['a', 'b', 'c']) links.change({ name, master: 'xcbr0' })
    addresses.add({ link: 'xcbr1', address: 'fd00::1', prefix: 120 })
  })
  expect(kernel.sends.map(sent => sent.map(({ type }) => type))).toEqual([
    [RTM_GETLINK, RTM_GETLINK],
    [RTM_NEWLINK, RTM_NEWLINK, RTM_NEWLINK, RTM_NEWADDR],
  ])
  expect(links(kernel.sends[1]).map(({ attributes }) => attributes.master)).toEqual([5, 5, 5])
  expect(addressMessage.read(kernel.sends[1]![3]!.body).index).toBe(6)
})

test('links created in a batch that refers to one of them get the next free indexes', async () => {
  const [kernel, route] = kernelWith({ lo: 1, eth0: 40 })
  await route.batch(({ links }) => {
    links.add(bridge({ name: 'br0' }))
    links.add(bridge({ name: 'br1' }))
    links.change({ name: 'eth0', master: 'br1' })
  })
  const made = links(kernel.sends.at(-1))
  expect(made.map(({ index, attributes }) => [index, attributes.name, attributes.master])).toEqual([
    [41, 'br0', undefined],
    [42, 'br1', undefined],
    [0, 'eth0', 42],
  ])
})

test('a link that does not exist is named in the error, and nothing is done', async () => {
  const [kernel, route] = kernelWith({})
  const adding = route.addresses.add({ link: 'xcbr9', address: '10.0.0.1', prefix: 8 })
  await expect(adding).rejects.toMatchObject({
    code: 'NETLINK_NOT_FOUND',
    message: 'find link xcbr9: No such device',
  })
  expect(kernel.sends).toHaveLength(1)
})

test('a veth, or a link with an address generation mode, is created down and brought up after that', async () => {
  const [kernel, route] = kernelWith({})
  await route.links.add(veth({ name: 'a', up: true, addrGenMode: 'none', peer: { name: 'b' } }))
  await route.links.change({ name: 'c', up: true, addrGenMode: 'none', mtu: 9000 })
  const steps = kernel.sends.flatMap(sent =>
    links(sent).map(({ change, attributes: { families, mtu } }) => [
      change,
      families?.ipv6?.addrGenMode,
      mtu,
    ]),
  )
  expect(steps).toEqual([
    [0, undefined, undefined],
    [0, 1, undefined],
    [1, undefined, undefined],
    [0, 1, 9000],
    [1, undefined, undefined],
  ])
})

test.each([['this-name-is-too-long'], ['eth%d'], ['a b'], ['a/b'], ['..'], ['']])(
  'the name %j is refused before the kernel sees it',
  async name => {
    const [kernel, route] = kernelWith({})
    await expect(route.links.add(bridge({ name }))).rejects.toThrow(
      `create bridge '${name}': an interface name has 1 to 15 bytes`,
    )
    expect(kernel.sends).toEqual([])
  },
)

test('a request that has no meaning is refused, and the error says why', async () => {
  const [, route] = kernelWith({})
  await expect(route.links.removeGroup(0)).rejects.toThrow('remove group 0: group 0 is the default group')
  await expect(route.links.change({ mtu: 1500 })).rejects.toThrow(
    'change link: the link needs a name or an index',
  )
  await expect(route.routes.add({ destination: 'default', dev: 'lo' })).rejects.toThrow(
    "a default route needs 'family' or a gateway",
  )
  await expect(route.routes.add({ destination: '10.0.0/8' })).rejects.toThrow(
    "'10.0.0/8' is not an address with a prefix length",
  )
})
