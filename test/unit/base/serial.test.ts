import { expect, test } from 'vitest'
import { defer } from '../../../src/base/index.ts'
import { Serial } from '../../../src/base/work/serial.ts'

test('one thing is done after the other, in order, whether or not one fails', async () => {
  const serial = new Serial()
  const door = defer()
  const done: string[] = []
  const first = serial.run(async () => {
    await door.promise
    done.push('first')
    throw new Error('first')
  })
  const second = serial.run(async () => done.push('second'))
  const idle = serial.idle().then(() => done.push('idle'))
  door.resolve()
  await expect(first).rejects.toThrow('first')
  expect(await second).toBe(2)
  await idle
  expect(done).toEqual(['first', 'second', 'idle'])
})

test('a serialiser is idle when that is done, too, which was asked for while its idleness was waited for', async () => {
  const serial = new Serial()
  const doors = [defer(), defer()]
  const done: string[] = []
  const work = (index: number) => serial.run(() => doors[index]!.promise.then(() => done.push(`${index}`)))
  const first = work(0)
  const idle = serial.idle().then(() => done.push('idle'))
  const second = work(1)
  doors[0]!.resolve()
  await first
  doors[1]!.resolve()
  await Promise.all([second, idle])
  expect(done).toEqual(['0', '1', 'idle'])
})

test('a serialiser that was never used is idle', async () => {
  await expect(new Serial().idle()).resolves.toBeUndefined()
})
