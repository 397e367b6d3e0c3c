import { describe, expect, test } from 'vitest'
import { topologyOf } from '../../../src/plan/index.ts'
import { frame } from '../../../src/stream/index.ts'
import type { Answering } from '../../support/fake-guest.ts'
import { obedient } from '../../support/fake-guest.ts'
import { FakeWorld } from '../../support/fake-world.ts'
import { nothingLeft } from '../../support/nothing-left.ts'
import { notices, small, states } from './watching.ts'

/** A world in which the guest of vm-001 stops answering, or answers with this, after `turn`. */
function turning(answers: Answering = () => undefined) {
  const world = new FakeWorld()
  let turned = false
  world.vms.behave('vm-001', {
    answers: (message, count) => (turned ? answers(message, count) : obedient(message, count)),
  })
  return {
    world,
    turn: () => {
      turned = true
    },
  }
}

const warningOf = (cluster: Awaited<ReturnType<FakeWorld['start']>>, id: number) =>
  cluster.status().nodes.find(node => node.id === id)?.warning

describe('a guest that does not answer', () => {
  test('keeps its routes at a scale-out, which ends after ten seconds with a warning, and adds the node', async () => {
    const { world, turn } = turning()
    await using cluster = await world.start({ nvm: 1, nrouters: 1 })
    turn()
    const events = cluster.events()
    const began = world.manual.now()
    await world.passing(cluster.scaleOut([202]))
    expect(world.manual.now() - began).toBeLessThanOrEqual(10_100)
    expect(states(cluster)).toBe('vm-001 ready, vm-201 ready, vm-202 ready')
    expect(warningOf(cluster, 1)).toMatch(/^it keeps its earlier routes: .* did not answer within 10 s/)
    expect(await notices(events)).toEqual([expect.stringMatching(/^vm-001: it keeps its earlier routes/)])
  })

  test('is named by what applies a topology, and its change is still to do', async () => {
    const { world, turn } = turning()
    const topology = topologyOf('xnet')
    await using cluster = await world.start({ nvm: 1, nrouters: 1, topology })
    turn()
    const routes = [{ to: 2, via: [{ net: 1, node: 201 }] }]
    const changed = { ...topology, setup: [...topology.setup, { of: 1, routes }] }
    const applied = await world.passing(cluster.apply(changed))
    expect(applied.warnings).toEqual([expect.stringMatching(/^vm-001: it keeps its earlier routes/)])
    expect((await cluster.apply(changed, { dryRun: true })).changes.length).toBeGreaterThan(0)
  })

  test('gets its routes with the next change that it answers, and the warning goes', async () => {
    const { world, turn } = turning((message, count) => (silent ? undefined : obedient(message, count)))
    let silent = true
    await using cluster = await world.start({ nvm: 1, nrouters: 1 })
    turn()
    await world.passing(cluster.scaleOut([202]))
    silent = false
    const { told } = world.vms.get('vm-001').guest
    const before = told.length
    await cluster.pause([1])
    await cluster.resume([1])
    expect(told).toHaveLength(before + 2) // its clock, its routes
    expect(warningOf(cluster, 1)).toBeUndefined()
  })

  test('does not fail its resume, which ends after ten seconds with a warning', async () => {
    const { world, turn } = turning()
    await using cluster = await world.start(small)
    await cluster.pause([1])
    turn()
    const began = world.manual.now()
    await world.passing(cluster.resume([1]))
    expect(world.manual.now() - began).toBeLessThanOrEqual(10_100)
    expect(states(cluster)).toBe('vm-001 ready, vm-002 ready')
    expect(warningOf(cluster, 1)).toMatch(/^its clock is late: /)
    await cluster.reset([2])
    world.vms.behave('vm-001', {})
    await cluster.reset([1])
    expect(warningOf(cluster, 1)).toBeUndefined()
  })

  test('holds up changes of its own node alone', async () => {
    const { world, turn } = turning()
    await using cluster = await world.start({ nvm: 3, nrouters: 1 })
    await cluster.pause([1])
    turn()
    let resumed = false
    const resuming = cluster.resume([1]).then(() => {
      resumed = true
    })
    await cluster.pause([2])
    await cluster.resume([2])
    await cluster.reset([3])
    expect(resumed).toBe(false)
    await world.passing(resuming)
    expect(states(cluster)).toBe('vm-001 ready, vm-002 ready, vm-003 ready, vm-201 ready')
  })

  test('holds up a scale-out, which holds up neither pause nor reset of other nodes', async () => {
    const { world, turn } = turning()
    await using cluster = await world.start({ nvm: 2, nrouters: 1 })
    turn()
    let grown = false
    const growing = cluster.scaleOut([202]).then(() => {
      grown = true
    })
    await world.vms.start('vm-202')
    await world.turns()
    await cluster.pause([2])
    await cluster.reset([2])
    expect(grown).toBe(false)
    await world.passing(growing)
    expect(states(cluster)).toBe('vm-001 ready, vm-002 ready, vm-201 ready, vm-202 ready')
  })

  test('can be removed at once by a scale-in', async () => {
    const { world, turn } = turning()
    await using cluster = await world.start(small)
    await cluster.pause([1])
    turn()
    const resuming = cluster.resume([1])
    await world.turns()
    const began = world.manual.now()
    await cluster.scaleIn([1])
    await resuming
    expect(world.manual.now()).toBe(began)
    expect(states(cluster)).toBe('vm-002 ready')
  })

  test.for(['scale-out', 'resume', 'start of a new node'])('does not delay stop during a %s', async what => {
    const { world, turn } = turning()
    world.vms.behave('vm-202', { answers: () => undefined })
    const cluster = await world.start({ nvm: 1, nrouters: 1 })
    if (what === 'resume') await cluster.pause([1])
    if (what !== 'start of a new node') world.vms.behave('vm-202', {})
    turn()
    const change = what === 'resume' ? cluster.resume([1]) : cluster.scaleOut([202])
    change.catch(() => {})
    if (what !== 'resume') await world.vms.start('vm-202')
    await world.turns()
    const began = world.manual.now()
    await cluster.stop()
    expect(world.manual.now()).toBe(began)
    await expect(change).rejects.toMatchObject({ code: 'CLUSTER_STOPPING' })
    nothingLeft(world)
  })

  test('while it starts fails the start with one error, after a minute', async () => {
    const world = new FakeWorld()
    world.vms.behave('vm-002', { answers: () => undefined })
    const starting = world.start(small)
    await expect(world.passing(starting)).rejects.toMatchObject({
      ...{ code: 'GUEST_SILENT', target: 'vm-002' },
      reason: 'the guest did not answer within 60 s',
    })
    nothingLeft(world)
  })
})

const lies = Buffer.concat(Array(10_000).fill(frame('exited', 9, { payload: Buffer.alloc(4) })))

test('a guest that floods while it is configured fails with the reason, and its channel is closed', async () => {
  const world = new FakeWorld()
  world.vms.behave('vm-002', { answers: () => lies })
  await expect(world.start(small)).rejects.toMatchObject({
    code: 'GUEST_SILENT',
    reason: 'the guest sent much that nothing had asked for, so its channel has been closed',
  })
  nothingLeft(world)
})

test('the words of a guest that lies are one bounded line without control characters', async () => {
  const world = new FakeWorld()
  const words = `\x1b]0;owned\x07\u202e${'x'.repeat(220)}`
  world.vms.behave('vm-002', { answers: ({ number }) => `${number} failed 0 1 ${words}\n` })
  const failure = await world.start(small).catch(thrown => thrown)
  expect(failure).toMatchObject({ code: 'NODE_CONFIG', target: 'vm-002' })
  expect(failure.reason).toMatch(
    /: \\x1b\]0;owned\\x07\\u202ex{100,200}…: Operation not permitted \(EPERM\)$/,
  )
})

test('a change waits for the node that an earlier call adds', async () => {
  const world = new FakeWorld()
  await using cluster = await world.start(small)
  await Promise.all([cluster.scaleOut([3]), cluster.pause([3])])
  expect(states(cluster)).toBe('vm-001 ready, vm-002 ready, vm-003 paused')
})

test('pause and resume of all nodes are carried out in the order of the calls', async () => {
  const world = new FakeWorld()
  await using cluster = await world.start(small)
  await Promise.all([cluster.pause(), cluster.resume(), cluster.pause([2])])
  expect(states(cluster)).toBe('vm-001 ready, vm-002 paused')
})
