import { stripVTControlCharacters } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { Counters, Status } from '../../../../src/api/index.ts'
import { linkStats } from '../../../../src/cli/view/stats.ts'
import { type Reading, readingOf } from '../../../../src/cli/watch/reading.ts'
import { screenLines } from '../../../../src/cli/watch/screen.ts'
import { readingText, short } from '../../../../src/cli/watch/text.ts'

function counters(atMs: number, scale: number): Counters {
  const counted = (frames: number) => ({ frames: frames * scale, bytes: 1000 * frames * scale })
  return {
    v: 1,
    atMs,
    load: [1, 0.5, 0.25],
    dns: { questions: 10 * scale, answeredHere: 5 * scale },
    nodes: [
      { id: 1, cpuMs: 400 * scale, nets: [{ net: 0, dev: 'eth0', sent: counted(2), received: counted(3) }] },
      {
        id: 201,
        cpuMs: 100 * scale,
        nets: [
          { net: 0, dev: 'eth0', sent: counted(1), received: counted(1) },
          { net: 2, dev: 'eth1', sent: counted(5) },
        ],
      },
    ],
  }
}

const node = (id: number, state: string, more = {}) =>
  ({
    id,
    name: `vm-${String(id).padStart(3, '0')}`,
    role: id > 200 ? 'router' : 'vm',
    state,
    ...more,
  }) as never
const status = (nodes: readonly never[]): Pick<Status, 'name' | 'state' | 'topology' | 'nodes'> => ({
  ...{ name: 'big', state: 'ready', topology: 'xnet', nodes },
})
const both = status([node(1, 'ready'), node(201, 'paused')])

describe('a reading', () => {
  test('has the rates between two counts, for each node and net', () => {
    const reading = readingOf(both, counters(1000, 1), counters(3000, 3))
    expect(reading).toMatchObject({ v: 1, seconds: 2, load: [1, 0.5, 0.25] })
    expect(reading.dns).toEqual({ queriesPerSecond: 10, answeredHerePerSecond: 5 })
    expect(reading.nets).toEqual([
      { net: 0, framesPerSecond: 3, bitsPerSecond: 24_000 },
      { net: 2, framesPerSecond: 5, bitsPerSecond: 40_000 },
    ])
    expect(reading.nodes[0]).toEqual({
      ...{ id: 1, name: 'vm-001', role: 'vm', state: 'ready', cpuPercent: 40 },
      nets: [{ net: 0, sentBitsPerSecond: 16_000, sentFramesPerSecond: 2, receivedBitsPerSecond: 24_000 }],
    })
    expect(reading.nodes[1]!.nets[1]).toEqual({ net: 2, sentBitsPerSecond: 40_000, sentFramesPerSecond: 5 })
  })

  test('counts a node that was reset from 0, and one that is new not at all', () => {
    const fresh = readingOf(both, counters(0, 5), counters(1000, 1))
    expect(fresh.nodes[0]!.nets[0]).toMatchObject({ sentBitsPerSecond: 16_000 })
    const added = readingOf(both, { ...counters(0, 1), nodes: [] }, counters(1000, 2))
    expect(added.nodes[0]!.nets[0]).toMatchObject({ sentBitsPerSecond: 0 })
  })

  test('of a cluster without counters yet has states alone', () => {
    expect(readingOf(both, undefined, undefined)).toMatchObject({ seconds: 0, nets: [] })
    expect(readingText(readingOf(both, undefined, undefined))).toMatch(/^201 +vm-201 +router +paused +-$/m)
  })

  test('is a table', () => {
    const text = readingText(readingOf(both, counters(1000, 1), counters(2000, 2)))
    expect(text).toMatch(
      /^big: ready, xnet, 2 nodes, load 1\.00 0\.50 0\.25, DNS 10\/s \(50 % answered here\)$/m,
    )
    expect(text).toMatch(/^2 +5 +40k$/m)
    expect(text).toMatch(/^201 +vm-201 +router +paused +10 % +8\.0k +8\.0k +40k +-$/m)
  })
})

test.each([
  [0, '0'],
  [999, '999'],
  [999.6, '1.0k'],
  [1000, '1.0k'],
  [34_567, '35k'],
  [9_949_000, '9.9M'],
  [2e15, '2000T'],
])('%d is short as %s', (value, text) => expect(short(value)).toBe(text))

describe('the screen', () => {
  const many = Array.from({ length: 60 }, (_, i) =>
    node(i + 1, i === 40 ? 'failed' : 'ready', i === 40 && { reason: 'it \u001b[2Jpanicked' }),
  )
  const reading = (nodes = many): Reading => readingOf(status(nodes), undefined, counters(0, 1))
  const shown = { selected: 1, message: '', color: false }
  const width = (line: string) => [...stripVTControlCharacters(line)].length

  test.each([
    [80, 24, false],
    [40, 8, true],
    [200, 100, true],
    [1, 1, true],
    [10, 3, false],
  ])('of %d columns and %d rows is filled and never exceeded, with colours: %s', (columns, rows, color) => {
    const lines = screenLines(reading(), { ...shown, color, size: { columns, rows } })
    expect(lines.length).toBeLessThanOrEqual(rows)
    if (rows > 10) expect(lines).toHaveLength(rows)
    expect(Math.max(...lines.map(width))).toBeLessThanOrEqual(columns)
  })

  test('scrolls so that the selected node is on it, and marks it', () => {
    const size = { columns: 80, rows: 20 }
    const lines = screenLines(reading(), { ...shown, selected: 50, size })
    expect(lines.filter(line => line.startsWith('>'))).toEqual([expect.stringContaining('vm-050')])
    expect(lines.join('\n')).not.toContain('vm-001')
    const colored = screenLines(reading(), { ...shown, selected: 50, color: true, size })
    expect(colored.find(line => line.includes('\u001b[7m'))).toContain('vm-050')
  })

  test('says why the selected node has failed, in characters that change nothing, and a message before that', () => {
    const size = { columns: 120, rows: 20 }
    const lines = screenLines(reading(), { ...shown, selected: 41, size })
    expect(lines.at(-2)).toBe('vm-041: it \\x1b[2Jpanicked')
    expect(lines.at(-1)).toContain('q quit')
    expect(screenLines(reading(), { ...shown, message: 'Paused: vm-001.', size }).at(-2)).toBe(
      'Paused: vm-001.',
    )
  })
})

test('statistics have each link with its counters and rates, and the sum of each net', () => {
  const { links, nets } = linkStats(both as Status, counters(1000, 1), counters(2000, 3))
  expect(links.map(({ node, dev, net }) => `${node} ${dev} ${net}`)).toEqual([
    'vm-001 eth0 0',
    'vm-201 eth0 0',
    'vm-201 eth1 2',
  ])
  expect(links[0]).toMatchObject({
    ...{ sent: { frames: 6, bytes: 6000 }, received: { frames: 9, bytes: 9000 } },
    ...{ sentBitsPerSecond: 32_000, receivedBitsPerSecond: 48_000 },
  })
  expect(links[2]).not.toHaveProperty('received')
  expect(nets).toEqual([
    { net: 0, sent: { frames: 9, bytes: 9000, dropped: 0 }, sentBitsPerSecond: 48_000 },
    { net: 2, sent: { frames: 15, bytes: 15_000, dropped: 0 }, sentBitsPerSecond: 80_000 },
  ])
})
