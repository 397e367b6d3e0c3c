import { expect, test } from 'vitest'
import { Broadcast } from '../../../src/base/index.ts'

test('each listener gets everything from when it began to listen, at its own pace', async () => {
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

test('one that has left is forgotten, one that comes after the end hears nothing', async () => {
  const news = new Broadcast<number>()
  const gone = news.listen()
  await gone.return()
  news.send(1)
  news.end()
  expect(await gone.next()).toEqual({ value: undefined, done: true })
  expect(await news.listen().next()).toEqual({ value: undefined, done: true })
})
