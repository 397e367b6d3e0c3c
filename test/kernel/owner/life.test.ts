import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { expect } from 'vitest'
import { clusterPlaces } from '../../../src/base/index.ts'
import { OwnerClient } from '../../../src/client/index.ts'
import { isAlive } from '../../../src/client/process.ts'
import { sweep } from '../../../src/owner/index.ts'
import { spawnOwner } from '../../../src/owner/launch.ts'
import { test } from '../../support/leaks.ts'
import { fakeProgram, type OwnerProcess, privatePlaces, startOwner } from '../../support/owner-process.ts'
import { needsRoot } from '../../support/rights.ts'
import { waitFor } from '../../support/wait.ts'

/** Expects that the owner's process and its directory are gone. */
function expectNothingLeft(owner: OwnerProcess): void {
  expect(owner.isAlive()).toBe(false)
  expect(existsSync(owner.at.directory)).toBe(false)
}

async function kept(owner: OwnerProcess): Promise<void> {
  await owner.until('ready')
  owner.launch.keep()
  await owner.ended()
}

test('an owner that is started, kept, asked for its status and stopped leaves nothing behind', async () => {
  await using owner = await startOwner()
  const { status } = await owner.until('ready')
  owner.launch.keep()
  await owner.ended()
  expect(status.nodes).toHaveLength(6)
  expect(await owner.client.status()).toEqual(status)
  await owner.client.stop()
  expectNothingLeft(owner)
  await expect(owner.client.status()).rejects.toMatchObject({ code: 'CLUSTER_MISSING', kind: 'missing' })
})

test('an owner without a start request ends silently and leaves nothing', async () => {
  const places = privatePlaces()
  const at = clusterPlaces(places, 'idle')
  const owner = spawnOwner(at, { env: process.env, ...fakeProgram })
  expect(isAlive(owner.pid)).toBe(true)
  await owner.close()
  await waitFor(() => !isAlive(owner.pid), 15_000)
  expect(readFileSync(at.ownerLog, 'utf8')).toBe('')
  expect(existsSync(at.directory)).toBe(false)
})

test('of two simultaneous starts with one name one succeeds, and the other fails with CLUSTER_RUNNING', async () => {
  const places = privatePlaces()
  await using one = await startOwner({ places })
  await using two = await startOwner({ places })
  const outcomes = await Promise.all([one, two].map(owner => owner.outcome()))
  expect(outcomes.map(({ type }) => type).sort()).toEqual(['failed', 'ready'])
  const failed = outcomes.find(({ type }) => type === 'failed')
  expect(failed).toMatchObject({ error: { code: 'CLUSTER_RUNNING', kind: 'failed', target: 'default' } })
  const winner = outcomes[0]!.type === 'ready' ? one : two
  winner.launch.keep()
  await winner.ended()
  expect((await winner.client.status()).owner.pid).toBe(winner.launch.pid)
  await winner.client.stop()
  expectNothingLeft(winner)
})

test('after kill -9 of an owner the next start takes over its directory', async () => {
  const places = privatePlaces()
  await using killed = await startOwner({ places })
  await kept(killed)
  process.kill(killed.launch.pid, 'SIGKILL')
  await waitFor(() => !killed.isAlive(), 15_000)
  expect(readdirSync(killed.at.directory).sort()).toEqual(['lock', 'owner.sock'])
  await expect(killed.client.status()).rejects.toMatchObject({ code: 'CLUSTER_MISSING' })
  await using next = await startOwner({ places })
  await kept(next)
  await next.client.stop()
  expectNothingLeft(next)
})

test('a sweep removes the directories of dead owners, and keeps those of running ones', async () => {
  const places = privatePlaces()
  await using living = await startOwner({ places, options: { name: 'living' } })
  await using dead = await startOwner({ places, options: { name: 'dead' } })
  await Promise.all([kept(living), kept(dead)])
  process.kill(dead.launch.pid, 'SIGKILL')
  await waitFor(() => !dead.isAlive(), 15_000)
  mkdirSync(`${places.runtime}/empty`)
  writeFileSync(`${places.runtime}/a file`, '')
  expect(await sweep(places)).toEqual(['dead', 'empty'])
  expect((await living.client.status()).state).toBe('ready')
  await living.client.stop()
  expectNothingLeft(living)
})

test.each(['cancel', 'close'] as const)(
  'an owner removes everything on %s by its starter before the cluster is ready',
  async how => {
    await using owner = await startOwner({ scenario: { vms: { 'vm-001': [{ hangs: true }] } } })
    await owner.until('step')
    if (how === 'cancel') {
      owner.launch.cancel()
      expect(await owner.outcome()).toMatchObject({ error: { code: 'START_CANCELLED' } })
    } else await owner.launch.close()
    await waitFor(() => !owner.isAlive(), 15_000)
    expectNothingLeft(owner)
  },
)

test('an owner removes everything when its starter goes after ready without a keep', async () => {
  await using owner = await startOwner()
  await owner.until('ready')
  await owner.launch.close()
  await waitFor(() => !owner.isAlive(), 15_000)
  expectNothingLeft(owner)
})

test('the error of a failed start reaches the starter with all fields, after everything has been removed', async () => {
  await using owner = await startOwner({
    options: { clone: 'off' },
    scenario: { vms: { 'vm-001': [{ panics: true }] } },
  })
  expect(await owner.outcome()).toMatchObject({
    type: 'failed',
    error: {
      code: 'GUEST_PANIC',
      op: 'run',
      target: 'vm-001',
      reason: expect.stringContaining('Kernel panic'),
    },
  })
  expect(existsSync(owner.at.directory)).toBe(false)
  await waitFor(() => !owner.isAlive(), 15_000)
  expectNothingLeft(owner)
})

test('a cluster that is starting has a status, and can be stopped', async () => {
  await using owner = await startOwner({ scenario: { vms: { 'vm-001': [{ hangs: true }] } } })
  await owner.until('step')
  await owner.listening()
  expect(await owner.client.status()).toMatchObject({ state: 'starting', nodes: { length: 6 } })
  await expect(owner.client.exec('1', { argv: ['true'] })).rejects.toMatchObject({
    code: 'CLUSTER_NOT_READY',
  })
  await owner.client.stop()
  expect(await owner.outcome()).toMatchObject({ type: 'failed', error: { code: 'START_CANCELLED' } })
  expectNothingLeft(owner)
})

test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
  'an owner stops its cluster cleanly on %s',
  async signal => {
    await using owner = await startOwner()
    await kept(owner)
    process.kill(owner.launch.pid, signal)
    await waitFor(() => !owner.isAlive(), 15_000)
    expectNothingLeft(owner)
    expect(readFileSync(owner.at.ownerLog, 'utf8')).toContain(`${signal}: stopping`)
  },
)

test('an owner whose cluster cannot be stopped cleanly reports that, and ends', async () => {
  await using owner = await startOwner({ scenario: { stuck: 'network' } })
  await kept(owner)
  await expect(owner.client.stop()).rejects.toMatchObject({ reason: 'network does not close' })
  await waitFor(() => !owner.isAlive(), 15_000)
  expectNothingLeft(owner)
})

test('two simultaneous stops are both answered', async () => {
  await using owner = await startOwner()
  await kept(owner)
  await Promise.all([owner.client.stop(), owner.client.stop()])
  expectNothingLeft(owner)
})

test('an owner refuses a runtime directory that other users can enter', async () => {
  const places = privatePlaces()
  mkdirSync(`${places.runtime}/default`, { recursive: true, mode: 0o755 })
  await using owner = await startOwner({ places })
  expect(await owner.outcome()).toMatchObject({ error: { code: 'RUNTIME_NOT_PRIVATE' } })
})

test('an owner does not answer another user, even if that user can open its socket', async ({ skip }) => {
  needsRoot(skip)
  await using owner = await startOwner()
  await kept(owner)
  // The directories and the socket are open to all users: only the check of the peer's user id is left.
  spawnSync('chmod', ['-R', 'a+rwx', owner.places.runtime.replace(/\/run$/, '')])
  const script = `require('http').get({ socketPath: ${JSON.stringify(owner.at.socket)}, path: '/v1/status' },
    answer => console.log(answer.statusCode)).on('error', failure => console.log(failure.code))`
  const other = spawnSync(process.execPath, ['-e', script], { uid: 65534, gid: 65534, encoding: 'utf8' })
  expect(other.stdout.trim()).toMatch(/^(ECONNRESET|EPIPE)$/)
  await new OwnerClient(owner.places, 'default').stop()
})

test('an owner that is stopped by SIGSTOP is named at once, by every request, and answers after SIGCONT', async () => {
  await using owner = await startOwner()
  await kept(owner)
  process.kill(owner.launch.pid, 'SIGSTOP')
  try {
    const stopped = {
      code: 'OWNER_STOPPED',
      reason: expect.stringContaining(`process ${owner.launch.pid}, is stopped`),
      remedy: expect.stringContaining(`Let it run again: kill -CONT ${owner.launch.pid}`),
    }
    await expect(owner.client.status()).rejects.toMatchObject(stopped)
    await expect(owner.client.console('1')).rejects.toMatchObject(stopped)
    await expect(owner.client.events()).rejects.toMatchObject(stopped)
  } finally {
    process.kill(owner.launch.pid, 'SIGCONT')
  }
  expect((await owner.client.status()).state).toBe('ready')
  await owner.client.stop()
  expectNothingLeft(owner)
})
