import { expect, test } from 'vitest'
import { Broadcast } from '../../../src/base/index.ts'

test('a broadcast gives each listener every value from when it began to listen, at its own pace', async () => {
  const news = new Broadcast<number>()
  const early = news.listen()
  news.send(1)
  const late = news.listen()
  news.send(2)
  news.end()
  const seen = { early: [] as number[], late: [] as number[] }
  for await (const value of early) seen.early.push(value)
  for await (const value of late) seen.late.push(value)
  expect(seen).toEqual({ early: [1, 2], late: [2] })
})

test('a broadcast forgets a listener that has left; one that joins after the end receives nothing', async () => {
  const news = new Broadcast<number>()
  const gone = news.listen()
  await gone.return()
  news.send(1)
  news.end()
  expect(await gone.next()).toEqual({ value: undefined, done: true })
  expect(await news.listen().next()).toEqual({ value: undefined, done: true })
})
