import { expect, test } from 'vitest'
import { Queue } from '../../../src/base/index.ts'

test('values pushed before and after the consumer came arrive in order', async () => {
  const queue = new Queue<number>()
  queue.push(1)
  const first = queue.next()
  const second = queue.next()
  queue.push(2)
  queue.end()
  expect([await first, await second, await queue.next()]).toEqual([
    { value: 1, done: false },
    { value: 2, done: false },
    { value: undefined, done: true },
  ])
})

test('a slow consumer loses the oldest values, and can see how many', async () => {
  const queue = new Queue<number>({ limit: 2 })
  for (const value of [1, 2, 3, 4]) queue.push(value)
  queue.end()
  const seen: number[] = []
  for await (const value of queue) seen.push(value)
  expect(seen).toEqual([3, 4])
  expect(queue.lost).toBe(2)
})

test('a queue throws its failure once, after the values that were queued', async () => {
  const queue = new Queue<number>()
  queue.push(1)
  queue.end(new Error('the socket closed'))
  expect((await queue.next()).value).toBe(1)
  await expect(queue.next()).rejects.toThrow('the socket closed')
  expect((await queue.next()).done).toBe(true)
})

test('leaving the loop over a queue closes its source', async () => {
  let closed = 0
  const queue = new Queue<number>({ onClose: () => closed++ })
  queue.push(1)
  for await (const _ of queue) break
  queue.end()
  expect(closed).toBe(1)
})

test('a queue of pieces is bounded by their size together', async () => {
  const queue = new Queue<string>({ limit: 10, sizeOf: ({ length }) => length })
  for (const piece of ['12345', '123', '1234567', '1']) queue.push(piece)
  queue.end()
  const seen: string[] = []
  for await (const piece of queue) seen.push(piece)
  expect(seen).toEqual(['1234567', '1'])
  expect(queue.lost).toBe(2)
})

test('a queue that is left by await using ends, and its producer learns of it', async () => {
  let closed = 0
  const queue = new Queue<number>({ onClose: () => closed++ })
  {
    await using left = queue
    left.push(1)
  }
  expect(closed).toBe(1)
  expect(await queue.next()).toEqual({ value: undefined, done: true })
})
