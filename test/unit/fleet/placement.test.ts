import { describe, expect, test } from 'vitest'
import { type HostRoom, type PlacedNode, place } from '../../../src/fleet/placement.ts'
import { randomOf } from '../../support/random.ts'

const host = (n: number, room: Partial<HostRoom> = {}): HostRoom => ({
  ...{ name: `host ${n}`, freeMiB: 4096, processors: 4, ...room },
})
const hosts = (count: number, room: Partial<HostRoom> = {}) =>
  Array.from({ length: count }, (_, n) => host(n, room))
const node = (id: number, nets: readonly number[] = [], more: Partial<PlacedNode> = {}): PlacedNode => ({
  ...{ id, needMiB: 100, templateMiB: 0, vcpus: 1, nets: [0, ...nets], ...more },
})
const nodes = (count: number, netsOf: (id: number) => number[] = () => []) =>
  Array.from({ length: count }, (_, at) => node(at + 1, netsOf(at + 1)))
const shown = (placed: ReadonlyMap<number, number>) =>
  [...placed]
    .sort(([a], [b]) => a - b)
    .map(([, on]) => on)
    .join('')

describe('placing nodes on hosts', () => {
  test('gives each host as many as it has a share of the processors', () => {
    expect(
      shown(
        place(
          nodes(12, () => [1]),
          hosts(3),
        ),
      ),
    ).toBe('000011112222')
    expect(
      shown(
        place(
          nodes(6, () => [1]),
          [host(0), host(1, { processors: 8 })],
        ),
      ),
    ).toBe('111100')
  })

  test('keeps on one host what nets join, and cuts where few nets are', () => {
    expect(
      shown(
        place(
          nodes(6, id => [1 + (id % 2)]),
          hosts(2),
        ),
      ),
    ).toBe('010101')
    // Two rings of three with one net between them.
    const rings = nodes(6, id => (id <= 3 ? [1] : [2]))
    const joined = rings.map(each => ([3, 4].includes(each.id) ? { ...each, nets: [...each.nets, 3] } : each))
    expect(shown(place(joined, hosts(2)))).toBe('000111')
  })

  test('follows the file, and shares the rest', () => {
    expect(
      shown(
        place(
          nodes(4, () => [1]),
          hosts(2),
          id => (id === 1 ? 1 : undefined),
        ),
      ),
    ).toBe('1001')
  })

  test('takes memory as a limit, a template once on each host', () => {
    const room = { freeMiB: 350 }
    expect(
      shown(
        place(
          nodes(6, () => [1]),
          hosts(2, room),
        ),
      ),
    ).toBe('000111')
    const cloned = nodes(4, () => [1]).map(each => ({ ...each, templateMiB: 150 }))
    expect(shown(place(cloned, hosts(2, room)))).toBe('0011')
    expect(() => place([...cloned, node(5, [1], { templateMiB: 150 })], hosts(2, room))).toThrow(
      'place vm-005: it needs 100 MiB, and host 0 has 0 MiB left. Use more hosts',
    )
  })

  test('names a host that is too small for a node of its own, and one that is not there', () => {
    const large = [node(1), node(2, [], { needMiB: 5000 })]
    expect(() => place(large, hosts(2), () => 1)).toThrow(
      'place vm-002: it needs 5000 MiB, and host 1 has 3996 MiB left',
    )
    expect(() => place(nodes(1), hosts(2), () => 2)).toThrow(
      'place vm-001: it shall be on host 2, and there are 2, numbered from 0. ' +
        'Use more hosts, or another number under host: in the topology file',
    )
  })

  test.each(Array.from({ length: 40 }, (_, seed) => seed))(
    'puts every node on one host, within its memory, and always the same: seed %i',
    seed => {
      const next = randomOf(seed)
      const random = (below: number) => next() % below
      const rooms = Array.from({ length: 1 + random(8) }, (_, n) =>
        host(n, { freeMiB: 20_000 + random(2000), processors: 1 + random(64) }),
      )
      const all = nodes(1 + random(120), () => Array.from({ length: random(4) }, () => 1 + random(20))).map(
        each => ({ ...each, needMiB: 32 + random(100), vcpus: 1 + random(3) }),
      )
      const own = (id: number) => (id % 7 === 0 ? id % rooms.length : undefined)
      const placed = place(all, rooms, own)
      expect([...placed.keys()].sort((a, b) => a - b)).toEqual(all.map(({ id }) => id))
      for (const { id } of all) if (own(id) !== undefined) expect(placed.get(id)).toBe(own(id))
      rooms.forEach(({ freeMiB }, n) => {
        const here = all.filter(({ id }) => placed.get(id) === n)
        expect(here.reduce((sum, { needMiB }) => sum + needMiB, 0)).toBeLessThanOrEqual(freeMiB)
      })
      expect(place(all, rooms, own)).toEqual(placed)
    },
  )
})
