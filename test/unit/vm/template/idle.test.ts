import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { ticksOf, untilIdle } from '../../../../src/vm/template/idle.ts'
import { ManualClock } from '../../../support/manual-clock.ts'

/** How many milliseconds it takes to call a process idle that uses so many ticks from look to look. */
async function msUntilIdle(used: (look: number) => number): Promise<number> {
  const clock = new ManualClock()
  let over = false
  let [ticks, looks] = [1000, 0]
  const idle = untilIdle(clock, () => {
    ticks += used(looks++)
    return ticks
  }).then(() => {
    over = true
  })
  while (!over) {
    await new Promise(setImmediate)
    if (!over) clock.pass(100)
  }
  await idle
  expect(clock.waiting).toBe(0)
  return clock.now()
}

test('a process that does next to nothing is idle at the second look after the first', async () => {
  expect(await msUntilIdle(() => 1)).toBe(200)
})

test('a process has to be quiet twice in a row to be idle', async () => {
  const used = [9, 9, 9, 0, 9, 0, 1, 9]
  expect(await msUntilIdle(look => used[look]!)).toBe(600)
})

test('a process that is never idle is taken as it is after five seconds', async () => {
  expect(await msUntilIdle(() => 9)).toBe(5000)
})

test('the ticks of a process are what it has used of a processor', () => {
  const before = ticksOf(process.pid)
  spawnSync('true')
  const end = performance.now() + 60
  while (performance.now() < end || ticksOf(process.pid) === before);
  expect(ticksOf(process.pid)).toBeGreaterThan(before)
})
