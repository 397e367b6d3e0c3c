import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, expect } from 'vitest'
import { test } from '../../support/leaks.ts'
import { waitFor } from '../../support/wait.ts'

// Whole runs of node:test, in processes of their own.
const artifacts = mkdtempSync(join(tmpdir(), 'xcluster-artifacts-'))
afterAll(() => rmSync(artifacts, { recursive: true }))

interface Run {
  readonly process: ChildProcess
  said(): string
}

/** Without the variable that makes node:test a part of a run above it. */
function run(suite: string, env: Record<string, string> = {}): Run {
  const file = resolve(import.meta.dirname, 'suites', suite)
  const { NODE_TEST_CONTEXT: _, ...own } = process.env
  const child = spawn(process.execPath, [file], {
    env: { ...own, XCLUSTER_ARTIFACTS: artifacts, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', bytes => (text += bytes))
  return { process: child, said: () => text }
}

const read = (...path: string[]) => readFileSync(join(artifacts, ...path), 'utf8')

test('a run with node:test tells which tests fail, saves what is known of their clusters, and leaves nothing', async ({
  census,
}) => {
  const { process: child, said } = run('failing.js')
  const [status] = await once(child, 'exit')
  expect(status, said()).toBe(1)
  expect(said()).toMatch(/^# pass 1$/m)
  expect(said()).toMatch(/^# fail 3$/m)
  expect(said()).toContain("run test 'fails: it never ends': it took longer than 6 s")
  expect(said()).toMatch(
    /wait for TCP port 4711 on vm-001: it did not come within 0\.5 s; last seen: it listens at/,
  )
  const place = 'fails-an-assertion'
  expect(said()).toContain(`are in ${join(artifacts, place)}\n`)
  expect(readdirSync(artifacts).sort()).toEqual([place, 'fails-a-wait', 'fails-it-never-ends'].sort())
  expect(read(place, 'vm-001', 'routes.txt')).toContain('10.9.0.0/16')
  expect(read(place, 'vm-001', 'addresses.txt')).toContain('192.168.1.1')
  expect(read(place, 'vm-001', 'console.txt')).toContain('from the guest')
  expect(read(place, 'vm-001', 'dmesg.txt')).toContain('Linux version')
  expect(JSON.parse(read(place, 'status.json')).nodes).toMatchObject([{ name: 'vm-001', state: 'ready' }])
  expect(JSON.parse(read(place, 'dns.json'))).toMatchObject({ questions: expect.any(Number) })
  await census.expectUnchanged()
})

test('a preparation that fails fails every test with its reason, and leaves nothing', async ({ census }) => {
  const { process: child, said } = run('unprepared.js')
  const [status] = await once(child, 'exit')
  expect(status, said()).toBe(1)
  expect(said()).toMatch(/^# fail 2$/m)
  expect(said()).toContain('it ended with status 3: no such thing')
  expect(readdirSync(join(artifacts, 'prepare')).sort()).toEqual(['dns.json', 'status.json', 'vm-001'])
  await census.expectUnchanged()
})

test.for(['SIGINT', 'SIGKILL'] as const)(
  'with XCLUSTER_KEEP=1 the cluster of a test that failed can be entered until the run is ended by %s',
  async (signal, { census }) => {
    const { process: child, said } = run('failing.js', { XCLUSTER_KEEP: '1' })
    const entered = async () => /nsenter .*--net=(\S+)/.exec(said())?.[1]
    expect(await waitFor(entered, 60_000), said()).toMatch(/^\/proc\//)
    expect(said()).toContain('vm-001  192.168.0.1')
    child.kill(signal)
    await once(child, 'exit')
    await census.expectUnchanged()
  },
)
