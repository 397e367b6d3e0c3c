import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect } from 'vitest'
import { defer } from '../../../src/base/index.ts'
import { lockOf } from '../../../src/vm/snapshot/store.ts'
import { withLock } from '../../../src/vm/template/lock.ts'
import { test } from '../../support/leaks.ts'
import { ManualClock } from '../../support/manual-clock.ts'

let parent: string
let directory: string
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'xcluster-test-'))
  directory = join(parent, 'template')
})
afterEach(() => rmSync(parent, { recursive: true }))

const settled = () => new Promise(setImmediate)

test('of two that make one template the second waits for the first, knows it, and says so', async () => {
  const clock = new ManualClock()
  const made = defer()
  const said: string[] = []
  const first = withLock(directory, async waited => {
    await made.promise
    return waited
  })
  const waiting = (state: 'begin' | 'end') => void said.push(state)
  const second = withLock(directory, async waited => waited, { clock, waiting })
  await expect.poll(() => clock.waiting).toBe(1)
  clock.pass(50)
  await settled()
  expect([said, clock.waiting]).toEqual([['begin'], 1])
  made.resolve()
  expect(await first).toBe(false)
  clock.pass(50)
  expect(await second).toBe(true)
  expect(said).toEqual(['begin', 'end'])
  expect([clock.waiting, existsSync(lockOf(directory))]).toEqual([0, false])
})

test('a start that is called off stops waiting for a template at once', async () => {
  const clock = new ManualClock()
  const made = defer()
  const end = new AbortController()
  const first = withLock(directory, () => made.promise)
  const second = withLock(directory, async () => 'never', { clock, signal: end.signal })
  const outcome = expect(second).rejects.toMatchObject({ code: 'START_ABORTED', target: 'template' })
  await expect.poll(() => clock.waiting).toBe(1)
  end.abort()
  await outcome
  expect([clock.now(), clock.waiting]).toEqual([0, 0])
  made.resolve()
  await first
})
