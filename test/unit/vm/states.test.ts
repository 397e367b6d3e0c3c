import { expect, test } from 'vitest'
import { Progress } from '../../../src/vm/machine/progress.ts'
import { collect } from '../../support/collect.ts'
import { ManualClock } from '../../support/manual-clock.ts'

test('a machine passes each milestone once and its states in order, with times', async () => {
  const clock = new ManualClock()
  const progress = new Progress('vm-001', clock, clock.now())
  const events = progress.events()
  progress.pass('spawned')
  clock.pass(20)
  progress.pass('qmp')
  progress.pass('qmp')
  progress.enter('running')
  clock.pass(5)
  progress.enter('failed', 'QEMU was killed')
  progress.end()

  expect(progress.milestones).toEqual({ spawned: 0, qmp: 20 })
  expect(progress.reached).toBe('qmp')
  expect(progress.alive).toBe(false)
  expect(await collect(events)).toEqual([
    { type: 'milestone', milestone: 'spawned', atMs: 0 },
    { type: 'milestone', milestone: 'qmp', atMs: 20 },
    { type: 'state', state: 'running', atMs: 20 },
    { type: 'state', state: 'failed', atMs: 25, reason: 'QEMU was killed' },
  ])
})

test('a transition that is not in the picture is refused', () => {
  const progress = new Progress('vm-001', new ManualClock(), 0)
  expect(() => progress.enter('ready')).toThrow('a machine cannot go from starting to ready')
  progress.enter('stopping')
  progress.enter('stopped')
  expect(() => progress.enter('failed')).toThrow('from stopped to failed')
})
