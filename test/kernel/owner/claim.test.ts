import { existsSync, writeFileSync } from 'node:fs'
import { expect } from 'vitest'
import { clusterPlaces } from '../../../src/base/index.ts'
import { claim } from '../../../src/owner/runtime-directory.ts'
import { test } from '../../support/leaks.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { privatePlaces } from '../../support/owner-process.ts'

const placesOf = () => clusterPlaces(privatePlaces(), 'default')

test('a directory that is free is claimed at once, and what a dead owner left in it goes', async () => {
  const at = placesOf()
  const clock = new ManualClock()
  const dead = await claim(at, clock)
  writeFileSync(at.socket, '')
  await dead.release()
  expect(existsSync(at.directory)).toBe(false)
  const claimed = await claim(at, clock)
  expect([existsSync(at.lock), existsSync(at.socket)]).toEqual([true, false])
  await claimed.release()
  expect(clock.now()).toBe(0)
})

test('a directory whose lock is held for a moment is claimed after it', async () => {
  const at = placesOf()
  const clock = new ManualClock()
  const holder = await claim(at, clock)
  const next = claim(at, clock)
  await expect.poll(() => clock.waiting).toBe(1)
  clock.pass(25)
  await expect.poll(() => clock.waiting).toBe(1)
  await holder.release()
  clock.pass(25)
  const claimed = await next
  expect(existsSync(at.lock)).toBe(true)
  expect(clock.waiting).toBe(0)
  await claimed.release()
})

test('a lock that stays for 300 ms is an owner’s: the cluster is running', async () => {
  const at = placesOf()
  const clock = new ManualClock()
  const owner = await claim(at, clock)
  const outcome = expect(claim(at, clock)).rejects.toMatchObject({ code: 'CLUSTER_RUNNING' })
  for (let looks = 0; looks < 12; looks++) {
    await expect.poll(() => clock.waiting).toBe(1)
    clock.pass(25)
  }
  await outcome
  expect([clock.now(), clock.waiting]).toEqual([300, 0])
  await owner.release()
})

test('a runtime directory that cannot be made, as below /proc, is refused with what to do', async () => {
  const at = { ...placesOf(), directory: '/proc/xcluster/default' }
  await expect(claim(at)).rejects.toMatchObject({
    code: 'RUNTIME_UNWRITABLE',
    target: '/proc/xcluster',
    message: expect.stringContaining('Set XDG_RUNTIME_DIR'),
  })
})
