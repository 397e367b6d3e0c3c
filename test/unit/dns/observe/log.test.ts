import { existsSync, mkdtempSync, readFileSync, renameSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { QueryLog } from '../../../../src/dns/observe/query-log.ts'
import { questionFor } from '../../../support/dns-client.ts'
import { ManualClock } from '../../../support/manual-clock.ts'
import { waitFor } from '../../../support/wait.ts'

const asker = { transport: 'udp', address: '127.0.0.1', port: 4711 } as const
const query = questionFor('example.org')
const answered = { query, answer: query, asker, source: 'cache', ms: 0 } as const
const linesOf = (path: string) => readFileSync(path, 'latin1').split('\n').length - 1

function fresh(): string {
  return join(mkdtempSync(join(tmpdir(), 'xcluster-test-')), 'log')
}

test('log lines are written when a page is full, or after a while', async () => {
  const path = fresh()
  const clock = new ManualClock()
  await using log = new QueryLog(path, clock)
  log.note(answered)
  expect(linesOf(path)).toBe(0)
  clock.pass(200)
  expect(await waitFor(() => linesOf(path) === 1)).toBe(true)
  for (let i = 0; i < 2000; i++) log.note(answered)
  expect(await waitFor(() => linesOf(path) > 1000)).toBe(true)
  await log.flush()
  expect(linesOf(path)).toBe(2001)
  expect(log.lost).toBe(0)
})

test('closing writes all log lines, and a file that was moved away is opened again', async () => {
  const path = fresh()
  const clock = new ManualClock()
  const log = new QueryLog(path, clock)
  log.note(answered)
  renameSync(path, `${path}.1`)
  await log.reopen()
  log.note(answered)
  await log.close()
  await log.close()
  expect([linesOf(`${path}.1`), linesOf(path)]).toEqual([1, 1])
  expect(clock.waiting).toBe(0)
})

test('log lines written while the file is reopened are in the old file or the new one, each once', async () => {
  const path = fresh()
  await using log = new QueryLog(path, new ManualClock())
  for (let i = 0; i < 2000; i++) log.note(answered)
  renameSync(path, `${path}.1`)
  const opened = log.reopen()
  for (let i = 0; i < 3000; i++) log.note(answered)
  await opened
  await log.close()
  expect(linesOf(`${path}.1`) + linesOf(path)).toBe(5000)
  expect(linesOf(path)).toBeGreaterThan(0)
  expect(log.lost).toBe(0)
})

test("log lines beyond the disk's speed are dropped and counted, and memory is bounded", async () => {
  await using log = new QueryLog(fresh(), new ManualClock())
  for (let i = 0; i < 100_000; i++) log.note(answered)
  expect(log.lost).toBeGreaterThan(0)
})

test('a log file that cannot be opened is reported', () => {
  const path = '/nonexistent/log'
  expect(existsSync('/nonexistent')).toBe(false)
  expect(() => new QueryLog(path)).toThrow(
    /open query log \/nonexistent\/log: No such file or directory. Name a file that you can write to/,
  )
})
