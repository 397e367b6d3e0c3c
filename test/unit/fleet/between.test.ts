import { describe, expect, test } from 'vitest'
import { entriesOn, netsBetween } from '../../../src/fleet/between.ts'

const node = (id: number, ...nets: number[]) => ({
  id,
  nets: [0, ...nets].map(net => ({ net, mac: `00:00:00:01:0${net}:0${id}` })),
})
const nodes = [node(1, 1, 2), node(2, 1), node(3, 1, 3), node(4, 1, 3), node(5, 1)]
const hosts = new Map([
  [1, 0],
  [2, 0],
  [3, 1],
  [4, 1],
  [5, 2],
])

describe('nets between hosts', () => {
  test('are those with nodes on several, apart from net 0', () => {
    expect(netsBetween(nodes, hosts, 'a').map(({ net }) => net)).toEqual([1])
  })

  test('have a number of 24 bits of their own in each job and lab', () => {
    const vnis = Array.from({ length: 500 }, (_, lab) => netsBetween(nodes, hosts, `${lab}`)[0]!.vni)
    expect(new Set(vnis).size).toBeGreaterThan(495)
    expect(vnis.every(vni => vni > 0 && vni < 2 ** 24)).toBe(true)
    expect(netsBetween(nodes, hosts, '7')[0]!.vni).toBe(vnis[7])
    const many = [1, 2].map(id => node(id, ...Array.from({ length: 250 }, (_, net) => net + 1)))
    const own = netsBetween(
      many,
      new Map([
        [1, 0],
        [2, 1],
      ]),
      'a',
    ).map(({ vni }) => vni)
    expect(new Set(own).size).toBe(250)
  })

  test('have an entry for each address elsewhere, and one for each other host', () => {
    const [net] = netsBetween(nodes, hosts, 'a')
    expect(entriesOn(0, net!)).toEqual([
      { mac: '00:00:00:01:01:03', host: 1 },
      { mac: '00:00:00:01:01:04', host: 1 },
      { mac: '00:00:00:01:01:05', host: 2 },
      { mac: '00:00:00:00:00:00', host: 1 },
      { mac: '00:00:00:00:00:00', host: 2 },
    ])
    expect(entriesOn(2, net!).map(({ mac, host }) => `${mac.slice(-2)} ${host}`)).toEqual([
      ...['01 0', '02 0', '03 1', '04 1', '00 0', '00 1'],
    ])
  })
})
