import { describe, expect, test } from 'vitest'
import type { ClusterEvent } from '../../../src/api/index.ts'
import { broken, FakeWorld } from '../../support/fake-world.ts'
import { small, states, until } from './watching.ts'

describe('pause and resume', () => {
  test('stop the processors of the nodes that are named, and let them go on', async () => {
    const world = new FakeWorld()
    await using cluster = await world.start(small)
    await cluster.pause([2])
    expect(states(cluster)).toBe('vm-001 ready, vm-002 paused')
    expect(world.vms.get('vm-002').commands.at(-1)).toBe('stop')
    expect(world.vms.get('vm-001').commands).not.toContain('stop')
    await cluster.resume([2])
    expect(states(cluster)).toBe('vm-001 ready, vm-002 ready')
    expect(world.vms.get('vm-002').commands.at(-1)).toBe('cont')
  })

  test('mean all nodes where none is named, and are fine twice', async () => {
    const world = new FakeWorld()
    await using cluster = await world.start(small)
    await cluster.pause()
    await cluster.pause()
    await cluster.pause([1])
    expect(states(cluster)).toBe('vm-001 paused, vm-002 paused')
    expect(world.vms.get('vm-001').commands.filter(name => name === 'stop')).toHaveLength(1)
    await cluster.resume()
    await cluster.resume([1, 1])
    expect(states(cluster)).toBe('vm-001 ready, vm-002 ready')
  })

  test('set the clock of a guest that stood still', async () => {
    const world = new FakeWorld()
    await using cluster = await world.start(small)
    const told = world.vms.get('vm-001').guest.told
    await cluster.pause([1])
    const before = told.length
    await cluster.resume([1])
    expect(told.slice(before).map(({ steps }) => steps.map(({ kind }) => kind))).toEqual([[5]]) // clock
  })

  test('refuse a node that does not run, and say why', async () => {
    const world = new FakeWorld()
    await using cluster = await world.start(small)
    world.vms.get('vm-002').end({ signal: 'SIGKILL' })
    await until(cluster, 2, 'failed')
    await expect(cluster.pause([2])).rejects.toMatchObject({ code: 'NODE_NOT_READY', target: 'vm-002' })
    await expect(cluster.resume([2])).rejects.toThrow('SIGKILL')
    await expect(cluster.pause([99])).rejects.toMatchObject({ code: 'NODE_MISSING' })
    await cluster.pause() // all that can
    expect(states(cluster)).toBe('vm-001 paused, vm-002 failed')
  })

  test('keep programs out of a paused guest, with the command that resumes it', async () => {
    const world = new FakeWorld()
    await using cluster = await world.start({ ...small, name: 'lab' })
    await cluster.pause([1])
    await expect(cluster.exec(1, ['echo'])).rejects.toMatchObject({
      code: 'NODE_NOT_READY',
      remedy: 'Resume it: xc resume 1 --name lab',
    })
  })
})

describe('a node that fails after it was ready', () => {
  test('is reported with its reason, while the others go on', async () => {
    const world = new FakeWorld()
    await using cluster = await world.start(small)
    const events = cluster.events()
    world.vms.get('vm-001').end({ signal: 'SIGSEGV' })
    const seen: ClusterEvent[] = []
    for await (const event of events) {
      seen.push(event)
      if (event.event === 'node' && event.state === 'failed') break
    }
    expect(seen.at(-1)).toMatchObject({ id: 1, reason: expect.stringContaining('SIGSEGV') })
    expect(states(cluster)).toBe('vm-001 failed, vm-002 ready')
    expect(cluster.state).toBe('ready')
    const { stdout } = await cluster.exec(2, ['echo', 'still', 'here'])
    expect(Buffer.from(stdout).toString()).toBe('still here\n')
    await expect(cluster.exec(1, ['echo'])).rejects.toMatchObject({ code: 'NODE_NOT_READY' })
  })
})

describe('reset', () => {
  test('replaces a node by a fresh one in the same place, be it ready, paused or failed', async () => {
    const world = new FakeWorld()
    await using cluster = await world.start({ nvm: 3, nrouters: 0 })
    await cluster.pause([2])
    world.vms.get('vm-003').end({ signal: 'SIGKILL' })
    await until(cluster, 3, 'failed')
    const before = world.vms.started.length
    await cluster.reset()
    expect(states(cluster)).toBe('vm-001 ready, vm-002 ready, vm-003 ready')
    expect(world.vms.started.length - before).toBe(3)
    expect(world.vms.alive).toHaveLength(3)
    expect(cluster.status().nodes[2]).not.toHaveProperty('reason')
  })

  test('leaves nodes that are not named as they are', async () => {
    const world = new FakeWorld()
    await using cluster = await world.start(small)
    const other = world.vms.get('vm-001')
    await cluster.reset([2])
    expect(world.vms.get('vm-001')).toBe(other)
    expect(other.ended).toBeUndefined()
  })

  test('of one node that fails again brings the others back, and throws its reason', async () => {
    const world = new FakeWorld()
    await using cluster = await world.start({ ...small, clone: 'off' })
    world.vms.behave('vm-001', { panics: true })
    await expect(cluster.reset()).rejects.toMatchObject({ code: 'GUEST_PANIC', target: 'vm-001' })
    expect(states(cluster)).toBe('vm-001 failed, vm-002 ready')
    world.vms.behave('vm-001', {})
    await cluster.reset([1])
    expect(states(cluster)).toBe('vm-001 ready, vm-002 ready')
  })

  test('asks again for a template that could not be opened at the start', async () => {
    const world = new FakeWorld()
    world.at = point => {
      if (point === 'template') throw broken('no space left')
    }
    await using cluster = await world.start(small)
    expect(world.vms.started.map(vm => vm.cloned)).toEqual([false, false])
    world.at = () => {}
    await cluster.reset([1])
    expect(world.vms.get('vm-001').cloned).toBe(true)
  })
})

describe('two changes at once', () => {
  test('are done one after the other, in the order asked for', async () => {
    const world = new FakeWorld()
    await using cluster = await world.start(small)
    const order: string[] = []
    await Promise.all([
      cluster.scaleOut([3]).then(() => order.push('out')),
      cluster.pause([3]).then(() => order.push('pause')),
      cluster.scaleIn([1]).then(() => order.push('in')),
    ])
    expect(order).toEqual(['out', 'pause', 'in'])
    expect(states(cluster)).toBe('vm-002 ready, vm-003 paused')
  })

  test('do not hinder each other when the first fails', async () => {
    const world = new FakeWorld()
    await using cluster = await world.start(small)
    const [first, second] = await Promise.allSettled([cluster.scaleOut([1]), cluster.pause([1])])
    expect(first).toMatchObject({ status: 'rejected', reason: { code: 'NODE_EXISTS' } })
    expect(second.status).toBe('fulfilled')
  })
})

test('checkReach asks each node about those that it should reach, and gathers the answers', async () => {
  const world = new FakeWorld()
  await using cluster = await world.start({ nvm: 2, nrouters: 1, ntesters: 1 })
  const results = await cluster.checkReach()
  expect(results.length).toBeGreaterThan(10)
  expect(results.every(({ ok }) => ok)).toBe(true)
  world.vms.get('vm-221').end({ signal: 'SIGKILL' })
  await until(cluster, 221, 'failed')
  const later = await cluster.checkReach()
  expect(later.filter(({ from }) => from === 'vm-221').every(({ ok }) => !ok)).toBe(true)
})
