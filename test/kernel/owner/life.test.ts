import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { expect } from 'vitest'
import { clusterPlaces } from '../../../src/base/index.ts'
import { OwnerClient } from '../../../src/client/index.ts'
import { isAlive } from '../../../src/client/process.ts'
import { spawnOwner, sweep } from '../../../src/owner/index.ts'
import { test } from '../../support/leaks.ts'
import { fakeProgram, type OwnerProcess, privatePlaces, startOwner } from '../../support/owner-process.ts'
import { needsRoot } from '../../support/rights.ts'
import { waitFor } from '../../support/wait.ts'

/** Its process and its directory. */
function expectNothingLeft(owner: OwnerProcess): void {
  expect(owner.isAlive()).toBe(false)
  expect(existsSync(owner.at.directory)).toBe(false)
}

async function kept(owner: OwnerProcess): Promise<void> {
  await owner.until('ready')
  owner.launch.keep()
  await owner.ended()
}

test('started, kept, asked, stopped: nothing is left', async () => {
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

test('an owner that is told nothing ends without a word, and leaves nothing', async () => {
  const places = privatePlaces()
  const at = clusterPlaces(places, 'idle')
  const owner = spawnOwner(at, { env: process.env, ...fakeProgram })
  expect(isAlive(owner.pid)).toBe(true)
  await owner.close()
  await waitFor(() => !isAlive(owner.pid), 15_000)
  expect(readFileSync(at.ownerLog, 'utf8')).toBe('')
  expect(existsSync(at.directory)).toBe(false)
})

test('of two starts of one name at once exactly one wins, and the other says so', async () => {
  const places = privatePlaces()
  await using one = await startOwner({ places })
  await using two = await startOwner({ places })
  const outcomes = await Promise.all([one, two].map(owner => owner.outcome()))
  expect(outcomes.map(({ event }) => event).sort()).toEqual(['failed', 'ready'])
  const failed = outcomes.find(({ event }) => event === 'failed')
  expect(failed).toMatchObject({ error: { code: 'CLUSTER_RUNNING', kind: 'failed', target: 'default' } })
  const winner = outcomes[0]!.event === 'ready' ? one : two
  winner.launch.keep()
  await winner.ended()
  expect((await winner.client.status()).owner.pid).toBe(winner.launch.pid)
  await winner.client.stop()
  expectNothingLeft(winner)
})

test('after kill -9 the directory stays without its lock: the next start takes it over', async () => {
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

test('a sweep removes what the dead left and nothing of the living', async () => {
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
  'a starter that says %s before ready has all taken back',
  async how => {
    await using owner = await startOwner({ options: { append: 'fake-hang' } })
    await owner.until('step')
    if (how === 'cancel') {
      owner.launch.cancel()
      expect(await owner.outcome()).toMatchObject({ error: { code: 'START_CANCELLED' } })
    } else await owner.launch.close()
    await waitFor(() => !owner.isAlive(), 15_000)
    expectNothingLeft(owner)
  },
)

test('a starter that is gone after ready, but has not kept it, has all taken back', async () => {
  await using owner = await startOwner()
  await owner.until('ready')
  await owner.launch.close()
  await waitFor(() => !owner.isAlive(), 15_000)
  expectNothingLeft(owner)
})

test('a start that fails tells why with all fields, after everything is gone', async () => {
  await using owner = await startOwner({ options: { append: 'fake-fail' } })
  expect(await owner.outcome()).toMatchObject({
    event: 'failed',
    error: { code: 'GUEST_PANIC', op: 'start', target: 'vm-001', reason: 'Kernel panic - not syncing' },
  })
  expect(existsSync(owner.at.directory)).toBe(false)
  await waitFor(() => !owner.isAlive(), 15_000)
  expectNothingLeft(owner)
})

test('a cluster that is starting can be seen and stopped', async () => {
  await using owner = await startOwner({ options: { append: 'fake-hang' } })
  await owner.until('step')
  await owner.listening()
  expect(await owner.client.status()).toMatchObject({ state: 'starting', nodes: { length: 6 } })
  await expect(owner.client.exec('1', { argv: ['true'] })).rejects.toMatchObject({
    code: 'CLUSTER_NOT_READY',
  })
  await owner.client.stop()
  expect(await owner.outcome()).toMatchObject({ event: 'failed', error: { code: 'START_CANCELLED' } })
  expectNothingLeft(owner)
})

test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('%s stops the cluster in good order', async signal => {
  await using owner = await startOwner()
  await kept(owner)
  process.kill(owner.launch.pid, signal)
  await waitFor(() => !owner.isAlive(), 15_000)
  expectNothingLeft(owner)
  expect(readFileSync(owner.at.ownerLog, 'utf8')).toContain(`${signal}: stopping`)
})

test('a cluster that does not stop cleanly says so, and its owner still ends', async () => {
  await using owner = await startOwner({ options: { append: 'fake-stuck' } })
  await kept(owner)
  await expect(owner.client.stop()).rejects.toMatchObject({ code: 'FAKE_STUCK' })
  await waitFor(() => !owner.isAlive(), 15_000)
  expectNothingLeft(owner)
})

test('two stops at once are both answered', async () => {
  await using owner = await startOwner()
  await kept(owner)
  await Promise.all([owner.client.stop(), owner.client.stop()])
  expectNothingLeft(owner)
})

test('a directory that others can enter is refused', async () => {
  const places = privatePlaces()
  mkdirSync(`${places.runtime}/default`, { recursive: true, mode: 0o755 })
  await using owner = await startOwner({ places })
  expect(await owner.outcome()).toMatchObject({ error: { code: 'RUNTIME_NOT_PRIVATE' } })
})

test('another user gets no answer, whatever the directory allows', async ({ skip }) => {
  needsRoot(skip)
  await using owner = await startOwner()
  await kept(owner)
  // Everything up to the socket is opened for all: what is left is the peer's identity.
  spawnSync('chmod', ['-R', 'a+rwx', owner.places.runtime.replace(/\/run$/, '')])
  const script = `require('http').get({ socketPath: ${JSON.stringify(owner.at.socket)}, path: '/v1/status' },
    answer => console.log(answer.statusCode)).on('error', failure => console.log(failure.code))`
  const other = spawnSync(process.execPath, ['-e', script], { uid: 65534, gid: 65534, encoding: 'utf8' })
  expect(other.stdout.trim()).toMatch(/^(ECONNRESET|EPIPE)$/)
  await new OwnerClient(owner.places, 'default').stop()
})
