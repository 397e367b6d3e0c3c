import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { gone, isAlive } from '../../../src/client/process.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const settled = () => new Promise(setImmediate)

test('gone() resolves when a process has ended, and not before', async () => {
  const clock = new ManualClock()
  const child = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] })
  await once(child, 'spawn')
  let over = false
  const ended = gone(child.pid!, clock).then(() => {
    over = true
  })
  clock.pass(3)
  await settled()
  expect([over, isAlive(child.pid!)]).toEqual([false, true])
  const exit = once(child, 'exit')
  child.stdin.end()
  await exit
  clock.pass(3)
  await ended
  expect(isAlive(child.pid!)).toBe(false)
  expect(clock.waiting).toBe(0)
})

test('gone() waits at most two seconds for a process that does not end', async () => {
  const clock = new ManualClock()
  const waiting = gone(process.pid, clock)
  for (let ms = 0; ms < 2000; ms += 10) {
    await settled()
    expect(clock.waiting).toBe(1)
    clock.pass(10)
  }
  await waiting
  expect(clock.waiting).toBe(0)
})

test('gone() does not wait for a process that has already ended', async () => {
  const clock = new ManualClock()
  const child = spawn('true')
  await once(child, 'exit')
  await gone(child.pid!, clock)
  expect(clock.now()).toBe(0)
})
