import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ReplyTrains } from '../../../src/sys/sockets/reply-trains.ts'

const slotSize = 6208

/** The fields of struct slot (native/addon/inet.c) that decide where a reply goes, in words. */
interface Reply {
  readonly length: number
  readonly port: number
  readonly host: number
  readonly own: number
}

const replies = fc.array(
  fc.record({
    length: fc.constantFrom(40, 41, 1280),
    port: fc.constantFrom(1, 2, 257),
    host: fc.constantFrom(1, 2),
    own: fc.constantFrom(0, 1),
  }),
  { maxLength: 64 },
)

function trainsOf(all: readonly Reply[]): number[][] {
  const words = new Uint32Array((all.length * slotSize) / 4).fill(0)
  const trains = new ReplyTrains(words, slotSize)
  trains.clear()
  for (const [slot, { length, port, host, own }] of all.entries()) {
    const start = (slot * slotSize) / 4
    words[start + 1] = length
    words[start + 2] = 10 | (port << 16)
    words[start + 7] = host
    words[start + 12] = own
    words[start + 13] = 99 // of an earlier batch
    trains.add(slot)
  }
  const at = (slot: number, word: number) => words[(slot * slotSize) / 4 + word]!
  const heads = [...all.keys()].filter(slot => at(slot, 14) === 0)
  return heads.map(head => {
    const train = [head]
    for (let next = at(head, 13); next > 0; next = at(next - 1, 13)) train.push(next - 1)
    return train
  })
}

test('every reply is in exactly one train, with replies of the same length to the same peer', () => {
  fc.assert(
    fc.property(replies, all => {
      const trains = trainsOf(all)
      expect(trains.flat().sort((a, b) => a - b)).toEqual([...all.keys()])
      for (const train of trains) {
        expect(new Set(train.map(slot => JSON.stringify(all[slot]))).size).toBe(1)
        expect(train.reduce((sum, slot) => sum + all[slot]!.length, 0)).toBeLessThanOrEqual(65_000)
      }
    }),
  )
})

test('replies to one peer share a train, up to the 64 KiB of one datagram', () => {
  const same = (count: number, length: number) =>
    Array.from({ length: count }, () => ({ length, port: 1, host: 1, own: 0 }))
  expect(trainsOf(same(64, 100)).map(({ length }) => length)).toEqual([64])
  expect(trainsOf(same(64, 1280)).map(({ length }) => length)).toEqual([50, 14])
})
