import { describe, expect, test } from 'vitest'
import type { ClusterEvent } from '../../../src/api/index.ts'
import { broken, FakeWorld } from '../../support/fake-world.ts'
import { nodeEnters } from '../../support/node-enters.ts'
import { small, states } from './watching.ts'

describe('pause and resume', () => {
  test('pause stops the processors of the named nodes, and resume lets them run again', async () => {
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

  test('pause and resume without names affect all nodes, and a second call has no effect', async () => {
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

  test('resume sets the clock of the guest, which had stopped', async () => {
    const world = new FakeWorld()
    await using cluster = await world.start(small)
    const told = world.vms.get('vm-001').guest.told
    await cluster.pause([1])
    const before = told.length
    await cluster.resume([1])
    expect(told.slice(before).map(({ steps }) => steps.map(({ kind }) => kind))).toEqual([[5]]) // clock
  })

  test('pause and resume refuse a node that has failed, with the reason of its failure', async () => {
    const world = new FakeWorld()
    await using cluster = await world.start(small)
    world.vms.get('vm-002').end({ signal: 'SIGKILL' })
    await nodeEnters(cluster, 2, 'failed')
    await expect(cluster.pause([2])).rejects.toMatchObject({ code: 'NODE_NOT_READY', target: 'vm-002' })
    await expect(cluster.resume([2])).rejects.toThrow('SIGKILL')
    await expect(cluster.pause([99])).rejects.toMatchObject({ code: 'NODE_MISSING' })
    await cluster.pause() // all that are ready
    expect(states(cluster)).toBe('vm-001 paused, vm-002 failed')
  })

  test('exec on a paused node is refused, and the error says to resume it', async () => {
    const world = new FakeWorld()
    await using cluster = await world.start({ ...small, name: 'lab' })
    await cluster.pause([1])
    await expect(cluster.exec(1, ['echo'])).rejects.toMatchObject({
      code: 'NODE_NOT_READY',
      remedy: 'Resume it: `resume([1])`',
    })
  })
})

describe('failure of a ready node', () => {
  test('a ready node that fails is reported with its reason, and the other nodes continue', async () => {
    const world = new FakeWorld()
    await using cluster = await world.start(small)
    const events = cluster.events()
    world.vms.get('vm-001').end({ signal: 'SIGSEGV' })
    const seen: ClusterEvent[] = []
    for await (const event of events) {
      seen.push(event)
      if (event.type === 'node' && event.state === 'failed') break
    }
    expect(seen.at(-1)).toMatchObject({ id: 1, reason: expect.stringContaining('SIGSEGV') })
    expect(states(cluster)).toBe('vm-001 failed, vm-002 ready')
    expect(cluster.state).toBe('ready')
    const { stdout } = await cluster.exec(2, ['echo', 'still', 'here'])
    expect(Buffer.from(stdout).toString()).toBe('still here\n')
    await expect(cluster.exec(1, ['echo'])).rejects.toMatchObject({ code: 'NODE_NOT_READY' })
  })
})

describe('halt', () => {
  test('a halted node stays in the cluster without a VM, and reset starts it afresh', async () => {
    const world = new FakeWorld()
    await using cluster = await world.start(small)
    const plan = cluster.plan
    await cluster.halt([2])
    expect(states(cluster)).toBe('vm-001 ready, vm-002 stopped')
    expect(cluster.plan).toBe(plan)
    expect(cluster.status().nodes[1]).not.toHaveProperty('pid')
    expect(world.vms.alive.map(({ spec }) => spec.name)).toEqual(['vm-001'])
    await cluster.halt([2])
    await expect(cluster.exec(2, ['echo'])).rejects.toMatchObject({
      ...{ code: 'NODE_NOT_READY', reason: 'it is stopped', remedy: 'Start it afresh: `reset([2])`' },
    })
    await cluster.reset([2])
    expect(states(cluster)).toBe('vm-001 ready, vm-002 ready')
    expect((await cluster.exec(2, ['echo', 'hi'])).status).toBe(0)
  })

  test('paused and failed nodes can be halted, halted ones removed, and others are refused', async () => {
    const world = new FakeWorld()
    await using cluster = await world.start({ nvm: 3, nrouters: 0 })
    await cluster.pause([1])
    world.vms.get('vm-003').end({ signal: 'SIGKILL' })
    await nodeEnters(cluster, 3, 'failed')
    await cluster.halt([1, 3])
    expect(states(cluster)).toBe('vm-001 stopped, vm-002 ready, vm-003 failed')
    await cluster.scaleIn([1])
    expect(states(cluster)).toBe('vm-002 ready, vm-003 failed')
    await expect(cluster.halt([1])).rejects.toMatchObject({ code: 'NODE_MISSING' })
  })
})

describe('reset', () => {
  test('reset replaces ready, paused and failed nodes by fresh ones', async () => {
    const world = new FakeWorld()
    await using cluster = await world.start({ nvm: 3, nrouters: 0 })
    await cluster.pause([2])
    world.vms.get('vm-003').end({ signal: 'SIGKILL' })
    await nodeEnters(cluster, 3, 'failed')
    const before = world.vms.started.length
    await cluster.reset()
    expect(states(cluster)).toBe('vm-001 ready, vm-002 ready, vm-003 ready')
    expect(world.vms.started.length - before).toBe(3)
    expect(world.vms.alive).toHaveLength(3)
    expect(cluster.status().nodes[2]).not.toHaveProperty('reason')
  })

  test('reset does not change nodes that are not named', async () => {
    const world = new FakeWorld()
    await using cluster = await world.start(small)
    const other = world.vms.get('vm-001')
    await cluster.reset([2])
    expect(world.vms.get('vm-001')).toBe(other)
    expect(other.ended).toBeUndefined()
  })

  test('reset of all nodes makes the others ready when one fails again, and throws its reason', async () => {
    const world = new FakeWorld()
    await using cluster = await world.start({ ...small, clone: 'off' })
    world.vms.behave('vm-001', { panics: true })
    await expect(cluster.reset()).rejects.toMatchObject({ code: 'GUEST_PANIC', target: 'vm-001' })
    expect(states(cluster)).toBe('vm-001 failed, vm-002 ready')
    world.vms.behave('vm-001', {})
    await cluster.reset([1])
    expect(states(cluster)).toBe('vm-001 ready, vm-002 ready')
  })

  test('reset opens a template that could not be opened at the start', async () => {
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

describe('simultaneous changes', () => {
  test('changes of the plan, and changes of one node, are carried out one at a time, in the order of the calls', async () => {
    const world = new FakeWorld()
    await using cluster = await world.start(small)
    const order: string[] = []
    await Promise.all([
      cluster.scaleOut([3]).then(() => order.push('3 out')),
      cluster.scaleIn([1]).then(() => order.push('1 in')),
      cluster.pause([2]).then(() => order.push('2 paused')),
      cluster.reset([2]).then(() => order.push('2 reset')),
      cluster.pause([2]).then(() => order.push('2 paused again')),
    ])
    expect(order.filter(what => what.startsWith('2'))).toEqual(['2 paused', '2 reset', '2 paused again'])
    expect(order.filter(what => !what.startsWith('2'))).toEqual(['3 out', '1 in'])
    expect(states(cluster)).toBe('vm-002 paused, vm-003 ready')
  })

  test('a change that fails does not stop the next one', async () => {
    const world = new FakeWorld()
    await using cluster = await world.start(small)
    const [first, second] = await Promise.allSettled([cluster.scaleOut([1]), cluster.pause([1])])
    expect(first).toMatchObject({ status: 'rejected', reason: { code: 'NODE_EXISTS' } })
    expect(second.status).toBe('fulfilled')
  })
})
