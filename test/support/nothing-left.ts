import { expect } from 'vitest'
import type { FakeWorld } from './fake-world.ts'

/** Expects that everything was closed, every VM has ended, and no timer is pending. */
export function nothingLeft(world: FakeWorld): void {
  expect(world.open).toEqual([])
  expect(world.vms.alive).toEqual([])
  expect(world.manual.waiting).toBe(0)
}
