import { expect, test } from 'vitest'
import { FrameStore, type PlacedFrame } from '../../../../src/net/capture/store.ts'
import { pcapngPackets } from '../../../support/pcapng-packets.ts'
import { randomOf } from '../../../support/random.ts'

/** A frame that is received into the store, or comes from elsewhere. */
function kept(store: FrameStore, { bytes, received }: { bytes: Uint8Array; received: boolean }) {
  if (!received) return store.keep(bytes)
  const room = store.room()
  room.set(bytes)
  return store.keep(room.subarray(0, bytes.length))
}

test('frames of all lengths come out as blocks in their order, whatever was received meanwhile', () => {
  const next = randomOf(15)
  const random = () => next() / 2 ** 32
  const store = new FrameStore()
  const waiting: (() => void)[] = []
  for (let round = 0; round < 60; round++) {
    const frames = Array.from({ length: 1 + Math.floor(random() * 80) }, (_, at) => ({
      ...{ link: Math.floor(random() * 3), at: at + round * 1000 },
      bytes: new Uint8Array(random() < 0.5 ? 14 + random() * 60 : random() * 65_000).fill(random() * 256),
    }))
    const placed: PlacedFrame[] = frames.map(({ link, at, bytes }) => {
      return { link, at, original: bytes.length, stored: kept(store, { bytes, received: random() < 0.8 }) }
    })
    const order = frames.map((_, index) => index).sort(() => random() - 0.5)
    const pieces = [...store.pieces(order.map(index => placed[index]!))]
    const wanted = pcapngPackets(order.map(index => frames[index]!))
    expect(Buffer.compare(Buffer.concat(pieces.map(({ bytes }) => bytes)), wanted)).toBe(0)
    waiting.push(...pieces.map(({ done }) => done))
    while (random() < 0.9 && waiting.length > 0) waiting.shift()!()
    expect(store.held).toBeGreaterThanOrEqual(0)
  }
  for (const done of waiting) done()
  expect(store.held).toBe(0)
})

test('memory of pieces that are done is used again, and that of others never', () => {
  const store = new FrameStore()
  const write = (fill: number) => {
    const placed = Array.from({ length: 100 }, (_, at) => {
      return {
        link: 0,
        at,
        original: 60_000,
        stored: kept(store, { bytes: new Uint8Array(60_000).fill(fill), received: true }),
      }
    })
    return [...store.pieces(placed)]
  }
  const first = write(1)
  for (let fill = 2; fill < 20; fill++) for (const piece of write(fill)) piece.done()
  expect(first.every(({ bytes }) => bytes[100] === 1)).toBe(true)
  const slabs = new Set<ArrayBufferLike>()
  for (let fill = 2; fill < 20; fill++)
    for (const piece of write(fill)) {
      slabs.add(piece.bytes.buffer)
      piece.done()
    }
  expect(slabs.size).toBeLessThan(4)
})
