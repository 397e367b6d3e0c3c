import { expect, test } from 'vitest'
import { defer } from '../../../src/base/index.ts'
import { stopInSteps } from '../../../src/vm/machine/stop.ts'
import { ManualClock } from '../../support/manual-clock.ts'

/** A machine that ends at the given step, and a clock that runs as fast as it can. */
function machineThatEndsAt(last: string) {
  const clock = new ManualClock()
  const gone = defer()
  const steps: string[] = []
  const step = (name: string) => {
    steps.push(name)
    if (name === last) gone.resolve()
  }
  const never = defer()
  const vm = {
    name: 'vm-001',
    clock,
    gone: gone.promise,
    sync: () => {
      step('sync')
      return never.promise
    },
    quit: async () => step('quit'),
    kill: (signal: string) => step(signal),
  }
  return { vm, clock, steps }
}

/** Advances the clock until the promise has settled. */
async function runOut(clock: ManualClock, work: Promise<unknown>): Promise<void> {
  let settled = false
  const done = work.then(
    () => (settled = true),
    () => (settled = true),
  )
  while (!settled) {
    await new Promise(setImmediate)
    if (!settled) clock.pass(100)
  }
  await done
}

test.each([
  ['quit', ['sync', 'quit']],
  ['SIGTERM', ['sync', 'quit', 'SIGTERM']],
  ['SIGKILL', ['sync', 'quit', 'SIGTERM', 'SIGKILL']],
])('a VM that %s ends is stopped by the steps up to that one', async (last, expected) => {
  const { vm, clock, steps } = machineThatEndsAt(last)
  const stopped = stopInSteps(vm, 500)
  await runOut(clock, stopped)
  await stopped
  expect(steps).toEqual(expected)
})

test('without grace the guest is not asked to sync', async () => {
  const { vm, steps } = machineThatEndsAt('quit')
  await stopInSteps(vm, 0)
  expect(steps).toEqual(['quit'])
})

test('a VM that outlives SIGKILL is an error instead of an endless wait', async () => {
  const { vm, clock } = machineThatEndsAt('nothing')
  const stopped = stopInSteps(vm, 0)
  await runOut(clock, stopped)
  await expect(stopped).rejects.toMatchObject({ code: 'QEMU_STUCK' })
})
