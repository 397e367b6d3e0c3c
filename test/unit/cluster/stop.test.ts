import { describe, expect, test } from 'vitest'
import { FakeWorld } from '../../support/fake-world.ts'
import { nodeEnters } from '../../support/node-enters.ts'
import { nothingLeft } from '../../support/nothing-left.ts'
import { small, states } from './watching.ts'

describe('stop', () => {
  test('stop ends every QEMU with status 0 and leaves nothing behind', async () => {
    const world = new FakeWorld()
    const cluster = await world.start(small)
    await cluster.stop()
    expect(world.vms.started.map(vm => vm.ended)).toEqual([{ code: 0 }, { code: 0 }])
    expect(states(cluster)).toBe('vm-001 stopped, vm-002 stopped')
    expect(cluster.state).toBe('stopped')
    nothingLeft(world)
  })

  test('stop kills a node that hangs, within its grace period and two seconds', async () => {
    const world = new FakeWorld()
    world.vms.behave('vm-001', { stubborn: true, endless: true })
    const cluster = await world.start(small)
    const stopping = cluster.stop({ graceMs: 300 })
    expect(await world.passing(world.vms.get('vm-001').gone)).toEqual({ signal: 'SIGKILL' })
    expect(world.manual.now()).toBeLessThanOrEqual(300 + 2 * 1000)
    await stopping
    nothingLeft(world)
  })

  test('a second call of stop waits for the first', async () => {
    const world = new FakeWorld()
    const cluster = await world.start(small)
    await Promise.all([cluster.stop(), cluster.stop()])
    await cluster.stop()
    nothingLeft(world)
  })

  test('stop cancels the change in progress, and refuses those that wait for it', async () => {
    const world = new FakeWorld()
    const cluster = await world.start({ ...small, clone: 'off' })
    world.vms.behave('vm-003', { hangs: true })
    const growing = cluster.scaleOut([3])
    const waiting = cluster.scaleOut([4])
    for (const change of [growing, waiting]) change.catch(() => {})
    await world.vms.start('vm-003')
    await cluster.stop()
    await expect(growing).rejects.toMatchObject({ code: 'CLUSTER_STOPPING' })
    await expect(waiting).rejects.toMatchObject({ code: 'CLUSTER_STOPPING' })
    await expect(cluster.reset()).rejects.toMatchObject({ code: 'CLUSTER_STOPPING' })
    nothingLeft(world)
  })

  test('stop ends a paused node without waiting for its guest', async () => {
    const world = new FakeWorld()
    const cluster = await world.start(small)
    await cluster.pause()
    await cluster.stop()
    expect(world.vms.started.map(vm => vm.ended)).toEqual([{ code: 0 }, { code: 0 }])
    nothingLeft(world)
  })

  test('stop leaves nothing behind when a node has failed before', async () => {
    const world = new FakeWorld()
    const cluster = await world.start(small)
    world.vms.get('vm-001').end({ signal: 'SIGKILL' })
    await nodeEnters(cluster, 1, 'failed')
    await cluster.stop()
    expect(states(cluster)).toBe('vm-001 failed, vm-002 stopped')
    nothingLeft(world)
  })

  test('stop sends the states of the cluster as events, then ends the events', async () => {
    const world = new FakeWorld()
    const cluster = await world.start(small)
    const events = cluster.events()
    await cluster.stop()
    const seen: string[] = []
    for await (const event of events) seen.push(event.type === 'cluster' ? event.state : event.type)
    expect(seen[0]).toBe('stopping')
    expect(seen.at(-1)).toBe('stopped')
  })
})

describe('a time that is none', () => {
  const wrong = [Number.NaN, -1, Number.NEGATIVE_INFINITY, '5' as unknown as number]
  test.each(wrong)('%s is refused by each call that takes one, which then changes nothing', async time => {
    const world = new FakeWorld()
    const late = world.start(small, { timeoutMs: time })
    await expect(late).rejects.toMatchObject({ code: 'BAD_ARGUMENT' })
    nothingLeft(world)
    await using cluster = await world.start(small)
    const calls = {
      stop: () => cluster.stop({ graceMs: time }),
      halt: () => cluster.halt([1], { graceMs: time }),
      scaleIn: () => cluster.scaleIn([1], { graceMs: time }),
      verify: () => cluster.verify({ withinMs: time }),
      exec: () => cluster.exec(1, ['echo'], { timeoutMs: time }),
      packet: () => cluster.packet('icmp', { timeoutMs: time }),
    }
    for (const [name, call] of Object.entries(calls))
      await expect(call(), name).rejects.toThrow(`Ms is ${time}, not a time in milliseconds`)
    expect(states(cluster)).toBe('vm-001 ready, vm-002 ready')
  })
})
