import { expect, test } from 'vitest'
import { bridgeChange, planBridges, planNics } from '../../../src/plan/index.ts'

const host = new Map([[0, [{ address: '192.168.0.250', prefix: 24 }]]])

test('the plan has one bridge for each net in use, and one tap for each interface of a node', () => {
  const nodes = [
    { id: 1, nets: [0, 3] },
    { id: 201, nets: [0, 3, 2] },
  ]
  expect(planBridges({ mtu: 1500, nodes, host })).toEqual({
    mtu: 1500,
    bridges: [
      { net: 0, name: 'xcbr0', index: 100_000, mac: '00:00:00:01:00:fa', addresses: host.get(0) },
      { net: 2, name: 'xcbr2', index: 100_002, mac: '00:00:00:01:02:fa', addresses: [] },
      { net: 3, name: 'xcbr3', index: 100_003, mac: '00:00:00:01:03:fa', addresses: [] },
    ],
    taps: [
      { node: 1, net: 0, name: 'xcbr0_t1', mac: '00:00:00:01:00:01' },
      { node: 1, net: 3, name: 'xcbr3_t1', mac: '00:00:00:01:03:01' },
      { node: 201, net: 0, name: 'xcbr0_t201', mac: '00:00:00:01:00:c9' },
      { node: 201, net: 3, name: 'xcbr3_t201', mac: '00:00:00:01:03:c9' },
      { node: 201, net: 2, name: 'xcbr2_t201', mac: '00:00:00:01:02:c9' },
    ],
  })
})

test('a net that only the host is on has a bridge too', () => {
  expect(planBridges({ mtu: 1500, nodes: [], host }).bridges.map(({ name }) => name)).toEqual(['xcbr0'])
})

test("the longest interface name fits Linux's limit", () => {
  const [tap] = planBridges({ mtu: 1500, nodes: [{ id: 240, nets: [255] }], host }).taps
  expect(tap!.name).toBe('xcbr255_t240')
  expect(tap!.name.length).toBeLessThanOrEqual(15)
})

test("a node's interfaces are in the order of its nets", () => {
  const nics = planNics(planBridges({ mtu: 1500, nodes: [{ id: 7, nets: [0, 3, 2] }], host }), 7)
  expect(nics.map(({ tap }) => tap)).toEqual(['xcbr0_t7', 'xcbr3_t7', 'xcbr2_t7'])
  expect(nics[1]!.args).toEqual([
    ...['-netdev', 'tap,id=net1,fd={fd0}'],
    ...['-device', 'virtio-net-pci,netdev=net1,id=nic1,mac=00:00:00:01:03:07,romfile='],
  ])
})

test('a change has what only one of two plans has', () => {
  const plan = (...ids: number[]) =>
    planBridges({ mtu: 1500, nodes: ids.map(id => ({ id, nets: [0, id] })), host })
  const { add, remove } = bridgeChange(plan(1, 2), plan(2, 3))
  const names = (of: typeof add) => [...of.bridges, ...of.taps].map(({ name }) => name)
  expect(names(add)).toEqual(['xcbr3', 'xcbr0_t3', 'xcbr3_t3'])
  expect(names(remove)).toEqual(['xcbr1', 'xcbr0_t1', 'xcbr1_t1'])
  expect(bridgeChange(plan(1), plan(1)).add).toEqual({ bridges: [], taps: [] })
})
