import { expect, test } from 'vitest'
import { defer } from '../../../src/base/index.ts'
import { Serial } from '../../../src/base/serial.ts'
import { NodeLifecycle } from '../../../src/cluster/nodes/state.ts'

test('one thing after the other, in order, whether or not one fails', async () => {
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

test("a node's life goes the ways of its picture", () => {
  const life = new NodeLifecycle()
  const way = ['starting', 'booting', 'starting', 'booting', 'configuring', 'ready', 'paused'] as const
  for (const state of [...way, 'waiting', 'starting', 'failed', 'waiting', 'stopping', 'stopped'] as const)
    life.enter(state, 'vm-001')
  expect(life.over).toBe(true)
  expect(() => life.enter('starting', 'vm-001')).toThrow('vm-001 cannot go from stopped to starting')
})
