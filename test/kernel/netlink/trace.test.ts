import { expect } from 'vitest'
import type { NetlinkTraceValue } from '../../../src/netlink/index.ts'
import { openNft } from '../../../src/nft/index.ts'
import { bridge, openRoute, veth } from '../../../src/rtnl/index.ts'
import { NetNamespace } from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'
import { Traces } from '../../support/traces.ts'

test('requests to the kernel, answers, events and refusals are traced decoded, with the namespace', async () => {
  await using namespace = NetNamespace.create()
  await using route = openRoute({ namespace })
  await using events = route.monitor(['links'])
  using traces = new Traces<NetlinkTraceValue>('netlink')
  await route.batch(({ links, addresses }) => {
    links.add(
      bridge({ name: 'xcbr0', index: 1000, mac: '00:00:00:01:00:fa', mtu: 1500, stp: false, up: true }),
    )
    links.add(veth({ name: 'a', index: 1001, peer: { name: 'b', index: 1002 } }))
    addresses.add({ link: 1000, address: '192.168.0.250', prefix: 24 })
  })
  await expect(route.links.change({ name: 'xcbr0', mtu: 1 })).rejects.toMatchObject({
    code: 'NETLINK_INVALID',
  })
  const found = await route.links.list()
  await events.next()

  const peer = `route net:[${namespace.inode}]`
  const { lines } = traces
  expect(lines[0]).toBe(
    `-> ${peer}: RTM_NEWLINK create bridge xcbr0 {sequence: 1, flags: REQUEST|EXCL|CREATE, body: {index: 1000, flags: UP, change: UP, attributes: {mac: 00:00:00:01:00:fa, mtu: 1500, name: xcbr0, linkInfo: {kind: bridge, bridge: {stp: false}}}}}`,
  )
  expect(lines).toContain(
    `<- ${peer}: ack RTM_NEWADDR add address 192.168.0.250/24 (1000) (T ms) {sequence: 3, flags: CAPPED}`,
  )
  const refusal = traces.messages.find(({ what }) => what.startsWith('EINVAL RTM_NEWLINK change link xcbr0'))
  expect(refusal).toMatchObject({ direction: 'received', ms: expect.any(Number), value: { errno: 22 } })
  expect(refusal!.value.message).toContain('mtu less than device minimum')
  expect(found.map(({ name }) => name)).toContain('xcbr0')
  const listed = traces.messages.filter(({ what }) => what === 'RTM_NEWLINK list links')
  expect(listed.map(({ value }) => (value.body as { attributes: { name: string } }).attributes.name)).toEqual(
    expect.arrayContaining(['lo', 'xcbr0', 'a', 'b']),
  )
  expect(traces.words).toContainEqual(['received', 'RTM_NEWLINK event'])
})

test('a refused nf_tables transaction is traced object by object, with the kernel’s reason', async () => {
  await using namespace = NetNamespace.create()
  await using nft = openNft({ namespace })
  using traces = new Traces<NetlinkTraceValue>('nft')
  const building = nft.transaction(({ tables, chains }) => {
    tables.add({ family: 'inet', name: 't' })
    chains.remove({ table: { family: 'inet', name: 't' }, name: 'none' })
  })
  await expect(building).rejects.toMatchObject({ errnoName: 'ENOENT' })
  expect(traces.words).toEqual([
    ['sent', 'NFNL_MSG_BATCH_BEGIN add table inet t'],
    ['sent', 'NFT_MSG_NEWTABLE add table inet t'],
    ['sent', expect.stringMatching(/^NFT_MSG_DELCHAIN /)],
    ['sent', 'NFNL_MSG_BATCH_END add table inet t'],
    ['received', expect.stringMatching(/^ENOENT NFT_MSG_DELCHAIN /)],
  ])
})
