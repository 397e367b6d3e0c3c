import { describe, expect, test } from 'vitest'
import type { ClusterEvent } from '../../../src/api/index.ts'
import type { Cluster } from '../../../src/cluster/index.ts'
import { obedient } from '../../support/fake-guest.ts'
import { broken, FakeWorld } from '../../support/fake-world.ts'
import { nothingLeft } from '../../support/nothing-left.ts'

/** `vm-001 ready, vm-201 paused` */
const states = (cluster: Cluster) =>
  cluster
    .status()
    .nodes.map(({ name, state }) => `${name} ${state}`)
    .join(', ')

/** Waits for a node's next event of that state. */
async function until(cluster: Cluster, id: number, state: string): Promise<void> {
  for await (const event of cluster.events())
    if (event.event === 'node' && event.id === id && event.state === state) return
}

/** The notices among the events that have come. */
async function notices(events: ReturnType<Cluster['events']>): Promise<string[]> {
  const texts: string[] = []
  events.end()
  for await (const event of events) if (event.event === 'notice') texts.push(event.text)
  return texts
}

const small = { nvm: 2, nrouters: 0 }

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

describe('scale-out', () => {
  test('adds nodes in the order of their numbers, with taps and bridges of their own', async () => {
    const world = new FakeWorld()
    await using cluster = await world.start(small)
    await cluster.scaleOut([221, 4])
    expect(states(cluster)).toBe('vm-001 ready, vm-002 ready, vm-004 ready, vm-221 ready')
    expect(cluster.plan.nodes.map(({ id }) => id)).toEqual([1, 2, 4, 221])
    const added = world.networks.at(-1)!.taps.filter(({ node }) => [4, 221].includes(node))
    expect(added.map(({ name }) => name)).toEqual(['xcbr0_t4', 'xcbr1_t4', 'xcbr0_t221', 'xcbr2_t221'])
  })

  test('tells the nodes that are there about a new router, and only those whose routes change', async () => {
    const world = new FakeWorld()
    await using cluster = await world.start({ nvm: 1, nrouters: 1, ntesters: 1 })
    const count = (name: string) => world.vms.get(name).guest.told.length
    const before = { node: count('vm-001'), router: count('vm-201') }
    await cluster.scaleOut([202])
    expect(count('vm-001')).toBe(before.node + 1)
    expect(count('vm-201')).toBe(before.router)
  })

  test('tells a paused node of it when it goes on', async () => {
    const world = new FakeWorld()
    await using cluster = await world.start({ nvm: 1, nrouters: 1 })
    await cluster.pause([1])
    const { told } = world.vms.get('vm-001').guest
    const before = told.length
    await cluster.scaleOut([202])
    expect(told).toHaveLength(before)
    await cluster.resume([1])
    expect(told).toHaveLength(before + 2) // its clock, its routes
  })

  test('gives the forwarder the names of the new nodes', async () => {
    const world = new FakeWorld()
    await using cluster = await world.start(small)
    await cluster.scaleOut([3])
    expect(world.names.at(-1)!.hosts.map(({ name }) => name)).toContain('vm-003')
  })

  test.each([
    ['is there already', [1], 'NODE_EXISTS'],
    ['a node cannot have', [500], 'NODE_NUMBER'],
  ])('refuses a number that %s, and changes nothing', async (_, ids, code) => {
    const world = new FakeWorld()
    await using cluster = await world.start(small)
    await expect(cluster.scaleOut(ids)).rejects.toMatchObject({ code })
    expect(world.networks).toHaveLength(1)
    expect(world.vms.started).toHaveLength(2)
  })

  test('for which there is not enough memory changes nothing', async () => {
    const world = new FakeWorld()
    await using cluster = await world.start(small)
    world.freeMiB = 10
    await expect(cluster.scaleOut([3])).rejects.toMatchObject({ code: 'NOT_ENOUGH_MEMORY' })
    expect(world.networks).toHaveLength(1)
  })

  test('where one node fails takes back all that came with it, and leaves what was there', async () => {
    const world = new FakeWorld()
    await using cluster = await world.start({ ...small, clone: 'off' })
    world.vms.behave('vm-004', { panics: true })
    await expect(cluster.scaleOut([3, 4])).rejects.toMatchObject({ code: 'GUEST_PANIC', target: 'vm-004' })
    expect(states(cluster)).toBe('vm-001 ready, vm-002 ready')
    expect(cluster.plan.nodes.map(({ id }) => id)).toEqual([1, 2])
    expect(world.vms.alive.map(vm => vm.spec.name)).toEqual(['vm-001', 'vm-002'])
    expect(world.networks.at(-1)).toEqual(world.networks[0])
    expect(world.names.at(-1)!.hosts.map(({ name }) => name)).not.toContain('vm-003')
    world.vms.behave('vm-004', {})
    await cluster.scaleOut([3, 4])
    expect(cluster.status().nodes).toHaveLength(4)
  })

  test('that the network refuses starts no VM', async () => {
    const world = new FakeWorld()
    await using cluster = await world.start(small)
    world.at = point => {
      if (point === 'change') throw broken('no more links')
    }
    await expect(cluster.scaleOut([3])).rejects.toThrow('no more links')
    expect(world.vms.started).toHaveLength(2)
    expect(states(cluster)).toBe('vm-001 ready, vm-002 ready')
  })

  test('where a node that was there cannot be told takes back the new ones', async () => {
    const world = new FakeWorld()
    let refuses = false
    world.vms.behave('vm-001', {
      answers: ({ number }) => (refuses ? `${number} failed 0 101 \n` : `${number} ok 1700000000000000000\n`),
    })
    await using cluster = await world.start({ nvm: 1, nrouters: 1 })
    refuses = true
    const events = cluster.events()
    await expect(cluster.scaleOut([202])).rejects.toMatchObject({ code: 'NODE_CONFIG', target: 'vm-001' })
    expect(await notices(events)).toEqual([
      expect.stringMatching(/^Not everything could be taken back: configure vm-001: /),
    ])
    expect(world.vms.alive.map(vm => vm.spec.name)).toEqual(['vm-001', 'vm-201'])
    expect(world.networks.at(-1)).toEqual(world.networks[0])
  })
})

describe('scale-in', () => {
  test('tells the others first, then ends the nodes and takes away what only they needed', async () => {
    const world = new FakeWorld()
    const leavingWhenTold: boolean[] = []
    world.vms.behave('vm-001', {
      answers: message => {
        leavingWhenTold.push(world.vms.alive.some(vm => vm.spec.name === 'vm-202'))
        return obedient(message, 0)
      },
    })
    await using cluster = await world.start({ nvm: 1, nrouters: 2, ntesters: 1 })
    leavingWhenTold.length = 0
    await cluster.scaleIn([202])
    expect(leavingWhenTold).toEqual([true])
    expect(states(cluster)).toBe('vm-001 ready, vm-201 ready, vm-221 ready')
    expect(world.vms.get('vm-202').ended).toEqual({ code: 0 })
    expect(world.networks.at(-1)!.taps.some(({ node }) => node === 202)).toBe(false)
    expect(world.names.at(-1)!.hosts.map(({ name }) => name)).not.toContain('vm-202')
  })

  test('refuses a node that is not there, and the last one', async () => {
    const world = new FakeWorld()
    await using cluster = await world.start(small)
    await expect(cluster.scaleIn([7])).rejects.toMatchObject({ code: 'NODE_MISSING' })
    await expect(cluster.scaleIn([1, 2])).rejects.toMatchObject({ code: 'NO_NODES' })
    expect(states(cluster)).toBe('vm-001 ready, vm-002 ready')
  })

  test('kills a node that does not end by itself', async () => {
    const world = new FakeWorld()
    world.vms.behave('vm-002', { stubborn: true, endless: true })
    await using cluster = await world.start(small)
    const leaving = cluster.scaleIn([2], { graceMs: 100 })
    await world.passing(leaving)
    expect(world.vms.get('vm-002').ended).toEqual({ signal: 'SIGKILL' })
    expect(states(cluster)).toBe('vm-001 ready')
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

describe('stop', () => {
  test('asks each guest to write back, then QEMU to end', async () => {
    const world = new FakeWorld()
    const cluster = await world.start(small)
    await cluster.stop()
    expect(world.vms.started.map(vm => vm.ended)).toEqual([{ code: 0 }, { code: 0 }])
    expect(states(cluster)).toBe('vm-001 stopped, vm-002 stopped')
    expect(cluster.state).toBe('stopped')
    nothingLeft(world)
  })

  test('kills a node that hangs, within its grace and two seconds', async () => {
    const world = new FakeWorld()
    world.vms.behave('vm-001', { stubborn: true, endless: true })
    const cluster = await world.start(small)
    const stopping = cluster.stop({ graceMs: 300 })
    expect(await world.passing(world.vms.get('vm-001').gone)).toEqual({ signal: 'SIGKILL' })
    expect(world.manual.now()).toBeLessThanOrEqual(300 + 2 * 1000)
    await stopping
    nothingLeft(world)
  })

  test('called twice waits for the same end', async () => {
    const world = new FakeWorld()
    const cluster = await world.start(small)
    await Promise.all([cluster.stop(), cluster.stop()])
    await cluster.stop()
    nothingLeft(world)
  })

  test('cancels a change that is under way, and refuses those that wait', async () => {
    const world = new FakeWorld()
    const cluster = await world.start({ ...small, clone: 'off' })
    world.vms.behave('vm-003', { hangs: true })
    const growing = cluster.scaleOut([3])
    const waiting = cluster.pause([1])
    for (const change of [growing, waiting]) change.catch(() => {})
    await world.vms.start('vm-003')
    await cluster.stop()
    await expect(growing).rejects.toMatchObject({ code: 'CLUSTER_STOPPING' })
    await expect(waiting).rejects.toMatchObject({ code: 'CLUSTER_STOPPING' })
    await expect(cluster.reset()).rejects.toMatchObject({ code: 'CLUSTER_STOPPING' })
    nothingLeft(world)
  })

  test('ends a paused node without waiting for its guest', async () => {
    const world = new FakeWorld()
    const cluster = await world.start(small)
    await cluster.pause()
    await cluster.stop()
    expect(world.vms.started.map(vm => vm.ended)).toEqual([{ code: 0 }, { code: 0 }])
    nothingLeft(world)
  })

  test('leaves nothing when a node has failed before', async () => {
    const world = new FakeWorld()
    const cluster = await world.start(small)
    world.vms.get('vm-001').end({ signal: 'SIGKILL' })
    await until(cluster, 1, 'failed')
    await cluster.stop()
    expect(states(cluster)).toBe('vm-001 failed, vm-002 stopped')
    nothingLeft(world)
  })

  test('tells its states as the last events, then ends the events', async () => {
    const world = new FakeWorld()
    const cluster = await world.start(small)
    const events = cluster.events()
    await cluster.stop()
    const seen: string[] = []
    for await (const event of events) seen.push(event.event === 'cluster' ? event.state : event.event)
    expect(seen[0]).toBe('stopping')
    expect(seen.at(-1)).toBe('stopped')
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
