import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, expect } from 'vitest'
import { test } from '../../support/leaks.ts'
import { waitFor } from '../../support/wait.ts'
import { ended, run } from './run.ts'

// Whole runs of node:test, in processes of their own.
const artifacts = mkdtempSync(join(tmpdir(), 'xcluster-artifacts-'))
afterAll(() => rmSync(artifacts, { recursive: true }))

const env = { XCLUSTER_ARTIFACTS: artifacts }
/** Where a suite's artifacts are. */
const of = (suite: string) => join(artifacts, 'test/qemu/testing/suites', suite)
const read = (...path: string[]) => readFileSync(join(of('failing.js'), ...path), 'utf8')

test('a run with node:test tells which tests fail, saves what is known of their clusters, names it in a JUnit report, and leaves nothing', async ({
  census,
}) => {
  const report = join(artifacts, '..', `${basename(artifacts)}.xml`)
  const reporters = { tap: 'stdout', junit: report }
  const options = Object.entries(reporters).flatMap(([name, to]) => [
    `--test-reporter=${name}`,
    `--test-reporter-destination=${to}`,
  ])
  const { status, said } = await ended(run('failing.js', { ...env, XCLUSTER_ATTACHMENTS: '1' }, options))
  expect(status, said).toBe(1)
  expect(said).toMatch(/^# pass 1$/m)
  expect(said).toMatch(/^# fail 3$/m)
  expect(said).toContain("run test 'fails: it never ends': it took longer than 6 s")
  expect(said).toMatch(
    /wait for TCP port 4711 on vm-001: it did not come within 0\.5 s; last seen: it listens at/,
  )
  const place = 'fails-an-assertion'
  expect(said).toContain(`are in ${join(of('failing.js'), place)}\n`)
  expect(readdirSync(of('failing.js')).sort()).toEqual([place, 'fails-a-wait', 'fails-it-never-ends'].sort())
  const [xml, whole] = [readFileSync(report, 'utf8'), join(of('failing.js'), place)]
  rmSync(report)
  expect(xml).toContain(`What is known of its cluster is in ${whole}`)
  expect(xml).toContain(`[[ATTACHMENT|${whole}/vm-001/console.txt]]`)
  expect(read(place, 'vm-001', 'routes.txt')).toContain('10.9.0.0/16')
  expect(read(place, 'vm-001', 'addresses.txt')).toContain('192.168.1.1')
  expect(read(place, 'vm-001', 'console.txt')).toContain('from the guest')
  expect(read(place, 'vm-001', 'dmesg.txt')).toContain('Linux version')
  expect(JSON.parse(read(place, 'status.json')).nodes).toMatchObject([{ name: 'vm-001', state: 'ready' }])
  expect(JSON.parse(read(place, 'dns.json'))).toMatchObject({ questions: expect.any(Number) })
  await census.expectUnchanged()
})

test('a test whose artifacts cannot be saved fails with its own reason', async ({ census }) => {
  const { status, said } = await ended(run('unprepared.js', { XCLUSTER_ARTIFACTS: '/dev/null/none' }))
  expect(status, said).toBe(1)
  expect(said).toContain('could not be saved: ')
  expect(said).toContain('it ended with status 3: no such thing')
  await census.expectUnchanged()
})

test('a preparation that fails fails every test with its reason, and leaves nothing', async ({ census }) => {
  const { status, said } = await ended(run('unprepared.js', env))
  expect(status, said).toBe(1)
  expect(said).toMatch(/^# fail 2$/m)
  expect(said).toContain('it ended with status 3: no such thing')
  expect(readdirSync(join(of('unprepared.js'), 'prepare')).sort()).toEqual([
    'dns.json',
    'status.json',
    'vm-001',
  ])
  await census.expectUnchanged()
})

test.for(['SIGINT', 'SIGKILL'] as const)(
  'with XCLUSTER_KEEP=1 the cluster of a test that failed can be entered until the run is ended by %s',
  async (signal, { census }) => {
    const { process: child, said } = run('failing.js', { ...env, XCLUSTER_KEEP: '1' })
    const entered = async () => /nsenter .*--net=(\S+)/.exec(said())?.[1]
    expect(await waitFor(entered, 60_000), said()).toMatch(/^\/proc\//)
    expect(said()).toContain('vm-001  192.168.0.1')
    child.kill(signal)
    await once(child, 'exit')
    await census.expectUnchanged()
  },
)
