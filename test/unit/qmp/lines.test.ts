import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { LineAssembler } from '../../../src/qmp/lines.ts'

function assemble(pieces: readonly Uint8Array[], limit = 1 << 20): string[] {
  const taken: string[] = []
  const lines = new LineAssembler(limit)
  for (const piece of pieces) lines.push(piece, line => taken.push(line))
  return taken
}

/** `bytes`, cut at these places. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [0, ...places.map(place => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return at.slice(1).map((end, i) => bytes.subarray(at[i], end))
}

test('lines come out the same however the stream is cut', async () => {
  const line = fc.string({ unit: 'grapheme' }).filter(text => !text.includes('\n'))
  await fc.assert(
    fc.property(fc.array(line), fc.array(fc.nat()), (texts, places) => {
      const bytes = Buffer.from(texts.map(text => `${text}\n`).join(''))
      expect(assemble(cut(bytes, places))).toEqual(texts)
    }),
  )
})

test('a half line does not change when the receive buffer is used again', () => {
  const buffer = Buffer.from('half')
  const taken: string[] = []
  const lines = new LineAssembler(100)
  lines.push(buffer, line => taken.push(line))
  buffer.fill(0)
  lines.push(Buffer.from(' line\n'), line => taken.push(line))
  expect(taken).toEqual(['half line'])
})

test('the time for a long line in the smallest pieces is proportional to its length', () => {
  const cost = (length: number) => {
    const lines = new LineAssembler(1 << 24)
    const began = process.cpuUsage()
    for (let i = 0; i < length; i++) lines.push(Uint8Array.of(0x61), () => {})
    const { user, system } = process.cpuUsage(began)
    return user + system
  }
  cost(10_000)
  const once = Math.min(cost(50_000), cost(50_000), cost(50_000))
  const tenfold = Math.min(cost(500_000), cost(500_000))
  expect(tenfold).toBeLessThan(once * 40) // quadratic would be 100 times
})

test('0xFF discards what came before it in its line', () => {
  const pieces = [Buffer.from('{"retu'), Buffer.from([0xff]), Buffer.from('{"return":7}\n{}\n')]
  expect(assemble(pieces)).toEqual(['{"return":7}', '{}'])
})

test('a line is refused as soon as it exceeds the limit', () => {
  expect(() => assemble([Buffer.alloc(60, 'a'), Buffer.alloc(41, 'a')], 100)).toThrow('longer than 100 bytes')
  expect(assemble([Buffer.alloc(60, 'a'), Buffer.from('\n'), Buffer.alloc(60, 'a')], 100)).toHaveLength(1)
})

test('a long line is accepted only while one is expected', () => {
  let most = 100
  const taken: number[] = []
  const lines = new LineAssembler({ length: { usual: 10, now: () => most } })
  const push = (text: string) => lines.push(Buffer.from(text), line => taken.push(line.length))
  push(`${'a'.repeat(60)}\n`)
  push('a'.repeat(60))
  push(`${'a'.repeat(40)}\n`)
  most = 10
  expect(() => push('a'.repeat(11))).toThrow('longer than 10 bytes')
  expect(taken).toEqual([60, 100])
})

test('a line that is skipped is not delivered, and still has its limit', () => {
  const taken: string[] = []
  const lines = new LineAssembler(100)
  const push = (text: string) => lines.push(Buffer.from(text), line => taken.push(line))
  push('half')
  lines.dropLine()
  push(' a line\nwhole\n')
  lines.dropLine() // nothing has begun
  push('next\nha')
  lines.dropLine()
  expect(() => push('a'.repeat(99))).toThrow('longer than 100 bytes')
  expect(taken).toEqual(['whole', 'next'])
})

test('a line of 40 MB in small pieces is held in little more memory than its length', () => {
  const piece = Buffer.alloc(50_000, 'a')
  const lines = new LineAssembler(1 << 26)
  const before = process.memoryUsage().arrayBuffers
  for (let sent = 0; sent < 40_000_000; sent += piece.length) lines.push(piece, () => {})
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(48_000_000)
})

test('a line with too much structure is refused before it is complete', () => {
  const lines = new LineAssembler({ length: 1 << 20, structure: { depth: 4, values: 1000 } })
  expect(() => lines.push(Buffer.from('[[[[['), () => {})).toThrow('more than 4 deep')
  const taken: string[] = []
  lines.push(Buffer.from('[[[[]]]]\n[[[[]]]]\n'), line => taken.push(line))
  expect(taken).toEqual(['[[[[]]]]', '[[[[]]]]'])
})
