import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Places } from '../../../src/base/index.ts'
import { forkSharedIn, openLabIn } from '../../../src/cluster/lab/open.ts'
import { prepareIn } from '../../../src/cluster/lab/prepare.ts'
import { openSnapshot, shareVms, snapshotsIn } from '../../../src/vm/index.ts'
import { FakeWorld } from '../../support/fake-world.ts'
import { nothingLeft } from '../../support/nothing-left.ts'
import { small, states } from './watching.ts'

let root: string
let places: Places
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'xcluster-test-'))
  places = { runtime: join(root, 'run'), state: join(root, 'state'), cache: join(root, 'cache') }
})
afterEach(() => rmSync(root, { recursive: true }))

/** A world whose QEMU is a file of this machine, with small guests. */
function worldOf(kernelVersion?: string): FakeWorld {
  const world = new FakeWorld()
  const find = world.findHost
  world.findHost = async () => {
    const host = await find()
    const image = { ...host.image, ...(kernelVersion !== undefined && { kernelVersion }) }
    return { ...host, image, qemu: { path: process.execPath, version: '7.2.22' } }
  }
  return world
}

const settings = { ...small, mem: 100 }
const saved = () => readdirSync(snapshotsIn(places.state))

test('a cluster that is saved ends, and another process forks it under another name', async () => {
  const world = worldOf()
  const cluster = await world.start(settings, { freezable: true, places })
  expect(await cluster.save('warm')).toMatchObject({ name: 'warm', nodes: 2 })
  expect(cluster.state).toBe('stopped')
  nothingLeft(world)

  const other = worldOf()
  await using snapshot = await openSnapshot(snapshotsIn(places.state), 'warm')
  const { about, spreadMs } = snapshot.manifest
  const shared = { ...shareVms(snapshot.vms), about, spreadMs, snapshot: 'warm', name: 'second' }
  const fork = await forkSharedIn(other, JSON.parse(JSON.stringify(shared)), { places })
  expect(fork.plan).toMatchObject({ name: 'second', topology: cluster.plan.topology })
  expect(states(fork)).toBe('vm-001 ready, vm-002 ready')
  expect(other.vms.alive.every(({ spec }) => spec.template?.isPaused)).toBe(true)
  await fork.stop()
  nothingLeft(other)
})

test('a cluster that is kept goes on, and can be saved again', async () => {
  const world = worldOf()
  const cluster = await world.start(settings, { freezable: true, places })
  await cluster.save('one', { keep: true })
  expect(states(cluster)).toBe('vm-001 ready, vm-002 ready')
  await cluster.save('two', { keep: true })
  for (const { commands } of world.vms.alive) {
    const own = commands.filter(name => ['stop', 'migrate', 'cont'].includes(name))
    expect(own).toEqual(['stop', 'migrate', 'cont', 'stop', 'migrate', 'cont'])
  }
  expect(saved()).toEqual(['one', 'two'])
  await cluster.stop()
  nothingLeft(world)
})

test('a cluster that cannot be written goes on as it was, and nothing of the snapshot is left', async () => {
  const world = worldOf()
  const cluster = await world.start(settings, { freezable: true, places })
  writeFileSync(places.state, 'a file where a directory belongs')
  await expect(cluster.save('warm')).rejects.toMatchObject({ code: 'SNAPSHOT_FAILED', target: 'warm' })
  expect(states(cluster)).toBe('vm-001 ready, vm-002 ready')
  await cluster.stop()
  nothingLeft(world)
})

test('a name that is taken stops no node', async () => {
  const world = worldOf()
  const cluster = await world.start(settings, { freezable: true, places })
  await cluster.save('warm', { keep: true })
  for (const { commands } of world.vms.alive) commands.length = 0
  await expect(cluster.save('warm')).rejects.toMatchObject({ code: 'SNAPSHOT_TAKEN' })
  await expect(cluster.save('a/b')).rejects.toMatchObject({ code: 'SNAPSHOT_NAME' })
  for (const { commands } of world.vms.alive) expect(commands).not.toContain('stop')
  await cluster.stop()
  nothingLeft(world)
})

test('a cluster with a failed or paused node is not saved, and its other nodes go on', async () => {
  const world = worldOf()
  const cluster = await world.start(settings, { freezable: true, places })
  await cluster.pause([1])
  await expect(cluster.save('warm')).rejects.toMatchObject({ code: 'NODE_NOT_READY', target: 'vm-001' })
  expect(states(cluster)).toBe('vm-001 paused, vm-002 ready')
  await cluster.resume()
  world.vms.get('vm-002').end({ signal: 'SIGKILL' })
  await world.passing(world.turns())
  await expect(world.passing(cluster.save('warm'))).rejects.toMatchObject({ code: 'NODE_NOT_READY' })
  expect(states(cluster)).toBe('vm-001 ready, vm-002 failed')
  expect(saved()).toEqual([])
  await world.passing(cluster.stop())
  nothingLeft(world)
})

test('a node that dies while it is saved leaves no snapshot, and the other nodes go on', async () => {
  const world = worldOf()
  const cluster = await world.start(settings, { freezable: true, places })
  const saving = cluster.save('warm')
  saving.catch(() => {})
  const dying = world.vms.get('vm-002')
  for (let turns = 0; !dying.commands.includes('stop') && turns < 1000; turns++) await world.turns(1)
  expect(dying.commands).toContain('stop')
  dying.end({ signal: 'SIGKILL' })
  await expect(world.passing(saving)).rejects.toMatchObject({ target: expect.stringMatching(/vm-002|warm/) })
  expect(states(cluster)).toBe('vm-001 ready, vm-002 failed')
  expect(world.vms.get('vm-001').commands.at(-1)).toBe('cont')
  expect(saved()).toEqual([])
  await world.passing(cluster.stop())
  nothingLeft(world)
})

test('a cluster that is gone is not saved', async () => {
  const world = worldOf()
  const cluster = await world.start(settings, { freezable: true, places })
  await cluster.stop()
  await expect(cluster.save('warm')).rejects.toMatchObject({ code: 'CLUSTER_STOPPING' })
  expect(saved()).toEqual([])
  nothingLeft(world)
})

test('a cluster that was not started for it is not saved', async () => {
  const world = worldOf()
  const cluster = await world.start(settings, { places })
  await expect(cluster.save('warm')).rejects.toMatchObject({
    ...{ code: 'CLUSTER_NOT_FREEZABLE', remedy: 'Start it with `freezable`' },
  })
  expect(cluster.state).toBe('ready')
  await cluster.stop()
  nothingLeft(world)
})

test('a start that could never be frozen is refused before it begins', async () => {
  const world = worldOf()
  const code = 'CLUSTER_NOT_FREEZABLE'
  const starting = world.start({ ...settings, fabric: 'user' }, { freezable: true, places })
  await expect(starting).rejects.toMatchObject({ code })
  expect(world.vms.started).toEqual([])
})

test('a lab is saved, and opened by another process', async () => {
  const world = worldOf()
  const lab = await prepareIn(world, settings, { prepare: async () => {}, places })
  expect(await lab.save('warm')).toMatchObject({ name: 'warm', nodes: 2 })
  await expect(lab.save('warm')).rejects.toMatchObject({ code: 'SNAPSHOT_TAKEN' })
  await lab.dispose()
  await expect(lab.save('cold')).rejects.toMatchObject({ code: 'LAB_CLOSED' })
  nothingLeft(world)

  const other = worldOf()
  const again = await openLabIn(other, 'warm', { places })
  const forks = await Promise.all([again.fork(), again.fork()])
  for (const fork of forks) expect(states(fork)).toBe('vm-001 ready, vm-002 ready')
  await again.dispose()
  nothingLeft(other)
})

test('a snapshot whose kernel has changed is refused, and a missing one', async () => {
  const world = worldOf()
  const cluster = await world.start(settings, { freezable: true, places })
  await cluster.save('warm')
  const newer = worldOf('6.12.1')
  await expect(openLabIn(newer, 'warm', { places })).rejects.toMatchObject({
    code: 'SNAPSHOT_FOREIGN',
    reason: expect.stringContaining("its kernel is Linux 6.1.0-fake, and this machine's 6.12.1"),
  })
  await expect(openLabIn(newer, 'cold', { places })).rejects.toMatchObject({
    ...{ code: 'SNAPSHOT_MISSING', remedy: 'There are: warm' },
  })
  nothingLeft(newer)
})
