import { mkdtempSync, readdirSync, readFileSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { test } from '../../support/leaks.ts'
import { ended, run } from './run.ts'

test('a prepared cluster is kept on the disk: for runs at the same time, and until it changes or is damaged', async ({
  census,
}) => {
  const home = mkdtempSync(join(tmpdir(), 'saved-'))
  const env = {
    ...{ XDG_STATE_HOME: join(home, 'state'), XDG_RUNTIME_DIR: home, PREPARATIONS: join(home, 'count') },
    XCLUSTER_ARTIFACTS: join(home, 'artifacts'),
  }
  const passes = async (more = {}) => {
    const { status, said } = await ended(run('saved.js', { ...env, ...more }))
    expect(status, said).toBe(0)
  }
  const preparations = () => readFileSync(env.PREPARATIONS, 'utf8').split('\n').length - 1
  const snapshots = join(env.XDG_STATE_HOME, 'xcluster/.snapshots')

  await Promise.all([passes(), passes(), passes()])
  expect(preparations()).toBe(1)
  const [name] = readdirSync(snapshots)
  expect(name).toMatch(/^kept-[0-9a-f]{8}$/)

  const { status, said } = await ended(run('saved.js', { ...env, FAIL: '1' }))
  expect([status, preparations()], said).toEqual([1, 1])
  expect(said).toContain(`The cluster as it was before: npx xc fork ${name}\n`)

  truncateSync(join(snapshots, name!, 'ram-1'), 1000)
  await passes()
  expect(preparations()).toBe(2)
  expect(readdirSync(snapshots)).toEqual([name])

  await passes({ OTHER: '1' })
  expect(preparations()).toBe(3)
  const [other, ...more] = readdirSync(snapshots)
  expect(more).toEqual([])
  expect(other).not.toBe(name)
  expect(readdirSync(home).filter(entry => entry.includes('lock'))).toEqual([])
  await census.expectUnchanged()
})
