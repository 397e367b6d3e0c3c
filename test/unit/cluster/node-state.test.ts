import { expect, test } from 'vitest'
import { NodeLifecycle } from '../../../src/cluster/nodes/state.ts'

test("a node's life goes the ways of its picture", () => {
  const life = new NodeLifecycle()
  const way = ['starting', 'booting', 'starting', 'booting', 'configuring', 'ready', 'paused'] as const
  const ends = ['stopping', 'stopped', 'waiting', 'stopping', 'stopped'] as const
  for (const state of [...way, 'waiting', 'starting', 'failed', 'waiting', ...ends] as const)
    life.enter(state, 'vm-001')
  expect(life.over).toBe(true)
  expect(() => life.enter('starting', 'vm-001')).toThrow('vm-001 cannot go from stopped to starting')
})
