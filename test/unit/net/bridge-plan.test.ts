import { expect, test } from 'vitest'
import { planBridges } from '../../../src/net/index.ts'

const host = new Map([[0, [{ address: '192.168.0.250', prefix: 24 }]]])

test('one bridge for each net that somebody is on, one tap for each cable', () => {
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

test('a net on which only the host is has a bridge too', () => {
  expect(planBridges({ mtu: 1500, nodes: [], host }).bridges.map(({ name }) => name)).toEqual(['xcbr0'])
})

test('the longest name is one that Linux takes', () => {
  const [tap] = planBridges({ mtu: 1500, nodes: [{ id: 240, nets: [255] }], host }).taps
  expect(tap!.name).toBe('xcbr255_t240')
  expect(tap!.name.length).toBeLessThanOrEqual(15)
})
