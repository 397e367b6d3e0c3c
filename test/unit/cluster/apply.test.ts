import { expect, test } from 'vitest'
import { type Topology, topologyOf } from '../../../src/plan/index.ts'
import { FakeWorld } from '../../support/fake-world.ts'
import { notices, states } from './watching.ts'

const settings = { nvm: 2, nrouters: 0 }
const lab = (parts: Partial<Topology> = {}): Topology => ({
  ...topologyOf('xnet'),
  ...{ name: 'lab', settings },
  ...parts,
})

test('applying a topology changes nothing in a cluster that is as it says, or in a dry run', async () => {
  const world = new FakeWorld()
  await using cluster = await world.start({ ...settings, topology: lab() })
  const told = () => ['vm-001', 'vm-002'].map(name => world.vms.get(name).guest.told.length)
  const before = told()
  expect(await cluster.apply(lab())).toEqual({ v: 1, applied: false, changes: [] })
  const { applied, changes } = await cluster.apply(lab({ settings: { nvm: 1, nrouters: 1 } }), {
    dryRun: true,
  })
  expect([applied, changes.map(({ how, of }) => `${how} ${of}`)]).toEqual([
    false,
    ['change vm-001', 'remove vm-002', 'add vm-201'],
  ])
  expect(told()).toEqual(before)
  expect(states(cluster)).toBe('vm-001 ready, vm-002 ready')
})

test('a node that was stopped is started anew, with what the topology says', async () => {
  const world = new FakeWorld()
  await using cluster = await world.start({ ...settings, topology: lab() })
  await cluster.halt([2])
  const { changes } = await cluster.apply(lab({ settings: { ...settings, mem2: 256 } }))
  expect(changes).toEqual([
    { how: 'restart', of: 'vm-002', what: 'node', before: 'stopped', after: 'ready' },
    { how: 'restart', of: 'vm-002', what: 'memory', before: '128 MiB', after: '256 MiB' },
  ])
  expect(states(cluster)).toBe('vm-001 ready, vm-002 ready')
  await cluster.scaleOut([3])
  expect((await cluster.apply(lab())).changes.map(({ how, of }) => `${how} ${of}`)).toEqual([
    'restart vm-002',
    'remove vm-003',
  ])
})

test('impairing a link of a paused node is refused before anything is changed', async () => {
  const world = new FakeWorld()
  await using cluster = await world.start({ ...settings, topology: lab() })
  await cluster.pause([1])
  const topology = lab({ settings: { ...settings, nvm: 3 }, links: [{ of: 1, net: 1, loss: 0.1 }] })
  await expect(cluster.apply(topology)).rejects.toMatchObject({ code: 'APPLY_REFUSED' })
  expect(states(cluster)).toBe('vm-001 paused, vm-002 ready')
})

test('a topology that this machine has too little memory for is refused before anything is changed', async () => {
  const world = new FakeWorld()
  await using cluster = await world.start({ ...settings, topology: lab() })
  const asked = cluster.apply(lab({ settings: { ...settings, mem1: 65_536 } }))
  await expect(asked).rejects.toMatchObject({ code: 'NOT_ENOUGH_MEMORY' })
  expect(states(cluster)).toBe('vm-001 ready, vm-002 ready')
})

test('a guest that refuses an update is started anew, and a notice says why', async () => {
  const world = new FakeWorld()
  let refuses = false
  world.vms.behave('vm-001', {
    answers: ({ number }) => {
      const answer = refuses ? `${number} failed 0 17 exists\n` : `${number} ok 1700000000000000000\n`
      refuses = false
      return answer
    },
  })
  await using cluster = await world.start({ nvm: 1, nrouters: 1, topology: lab() })
  refuses = true
  const events = cluster.events()
  const routes = [{ to: 2, via: [{ net: 1, node: 201 }] }]
  const topology = lab({ settings: { nvm: 1, nrouters: 1 }, setup: [{ of: 1, routes }] })
  await cluster.apply(topology)
  expect(states(cluster)).toBe('vm-001 ready, vm-201 ready')
  expect(await notices(events)).toContainEqual(expect.stringContaining('vm-001 is started anew: '))
  expect((await cluster.apply(topology)).changes).toEqual([])
})

test('what a paused node gets when it resumes is listed once, and said until then', async () => {
  const world = new FakeWorld()
  await using cluster = await world.start({ nvm: 2, nrouters: 1, topology: lab() })
  const routes = [{ to: 2, via: [{ net: 1, node: 201 }] }]
  const topology = lab({ settings: { nvm: 2, nrouters: 1 }, setup: [{ of: 1, routes }] })
  await cluster.pause([1])
  const waits = ['vm-001: it is paused, and gets its changes when it resumes']
  const first = await cluster.apply(topology)
  expect(first).toMatchObject({ applied: true, warnings: waits })
  expect(first.changes).toContainEqual(
    expect.objectContaining({ of: 'vm-001', what: 'route 192.168.2.0/24' }),
  )
  expect(await cluster.apply(topology)).toEqual({ v: 1, changes: [], applied: false, warnings: waits })
  await cluster.resume([1])
  expect(await cluster.apply(topology)).toEqual({ v: 1, changes: [], applied: false })
})

test('a dry run finds what is not there, and changes nothing', async () => {
  const world = new FakeWorld()
  await using cluster = await world.start({ ...settings, topology: lab() })
  const asked = (more: object) =>
    cluster.apply(lab({ settings: { ...settings, nvm: 3, ...more } }), { dryRun: true })
  await expect(asked({ ovl: ['no-such-overlay'] })).rejects.toMatchObject({ code: 'OVERLAY_MISSING' })
  await expect(asked({ with: ['no-such-program'] })).rejects.toMatchObject({ code: 'NO_SUCH_PROGRAM' })
  expect((await asked({})).changes).toMatchObject([{ how: 'add', of: 'vm-003' }])
  expect(states(cluster)).toBe('vm-001 ready, vm-002 ready')
})
