import { expect, test } from 'vitest'
import { defer, Turns } from '../../../src/base/index.ts'

const turns = (count = 10) =>
  Array.from({ length: count }).reduce<Promise<void>>(last => last.then(() => {}), Promise.resolve())

test('work that shares a key runs one after the other, and other work beside it', async () => {
  const all = new Turns<string>()
  const order: string[] = []
  const held = defer()
  const slow = all.run(['a'], () => held.promise.then(() => void order.push('slow')))
  const after = all.run(['a', 'b'], async () => void order.push('after'))
  const last = all.run(['b'], async () => void order.push('last'))
  await all.run(['c'], async () => void order.push('beside'))
  await turns()
  expect(order).toEqual(['beside'])
  held.resolve()
  await Promise.all([slow, after, last, all.idle()])
  expect(order).toEqual(['beside', 'slow', 'after', 'last'])
})

test('a failure does not prevent the next turn on its key', async () => {
  const all = new Turns<number>()
  const failed = all.run([1], () => Promise.reject(new Error('no')))
  await expect(all.run([1], async () => 7)).resolves.toBe(7)
  await expect(failed).rejects.toThrow('no')
  await all.idle()
})
