import { describe, expect, test } from 'vitest'
import type { ClusterEvent } from '../../../src/api/index.ts'
import type { Cluster } from '../../../src/cluster/index.ts'
import { obedient } from '../../support/fake-guest.ts'
import { broken, FakeWorld } from '../../support/fake-world.ts'
import { nodeEnters } from '../../support/node-enters.ts'
import { nothingLeft } from '../../support/nothing-left.ts'

/** `vm-001 ready, vm-201 paused` */
const states = (cluster: Cluster) =>
  cluster
    .status()
    .nodes.map(({ name, state }) => `${name} ${state}`)
    .join(', ')

/** The notices among the events so far. */
async function notices(events: ReturnType<Cluster['events']>): Promise<string[]> {
  const texts: string[] = []
  events.end()
  for await (const event of events) if (event.event === 'notice') texts.push(event.text)
  return texts
}

const small = { nvm: 2, nrouters: 0 }

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

  test('exec on a paused node is refused, with the command that resumes the node', async () => {
    const world = new FakeWorld()
    await using cluster = await world.start({ ...small, name: 'lab' })
    await cluster.pause([1])
    await expect(cluster.exec(1, ['echo'])).rejects.toMatchObject({
      code: 'NODE_NOT_READY',
      remedy: 'Resume it: xc resume 1 --name lab',
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

describe('scale-out', () => {
  test('scale-out adds nodes in the order of their numbers, with their taps and bridges', async () => {
    const world = new FakeWorld()
    await using cluster = await world.start(small)
    await cluster.scaleOut([221, 4])
    expect(states(cluster)).toBe('vm-001 ready, vm-002 ready, vm-004 ready, vm-221 ready')
    expect(cluster.plan.nodes.map(({ id }) => id)).toEqual([1, 2, 4, 221])
    const added = world.networks.at(-1)!.taps.filter(({ node }) => [4, 221].includes(node))
    expect(added.map(({ name }) => name)).toEqual(['xcbr0_t4', 'xcbr1_t4', 'xcbr0_t221', 'xcbr2_t221'])
  })

  test('scale-out by a router updates the existing nodes whose routes change, and no others', async () => {
    const world = new FakeWorld()
    await using cluster = await world.start({ nvm: 1, nrouters: 1, ntesters: 1 })
    const count = (name: string) => world.vms.get(name).guest.told.length
    const before = { node: count('vm-001'), router: count('vm-201') }
    await cluster.scaleOut([202])
    expect(count('vm-001')).toBe(before.node + 1)
    expect(count('vm-201')).toBe(before.router)
  })

  test('a paused node gets the routes of a scale-out when it resumes', async () => {
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

  test('scale-out gives the DNS forwarder the names of the new nodes', async () => {
    const world = new FakeWorld()
    await using cluster = await world.start(small)
    await cluster.scaleOut([3])
    expect(world.names.at(-1)!.hosts.map(({ name }) => name)).toContain('vm-003')
  })

  test.each([
    ['exists already', [1], 'NODE_EXISTS'],
    ['cannot exist', [500], 'NODE_NUMBER'],
  ])('scale-out refuses a node that %s, and changes nothing', async (_, ids, code) => {
    const world = new FakeWorld()
    await using cluster = await world.start(small)
    await expect(cluster.scaleOut(ids)).rejects.toMatchObject({ code })
    expect(world.networks).toHaveLength(1)
    expect(world.vms.started).toHaveLength(2)
  })

  test('scale-out changes nothing when there is not enough memory', async () => {
    const world = new FakeWorld()
    await using cluster = await world.start(small)
    world.freeMiB = 10
    await expect(cluster.scaleOut([3])).rejects.toMatchObject({ code: 'NOT_ENOUGH_MEMORY' })
    expect(world.networks).toHaveLength(1)
  })

  test('scale-out removes all nodes that it has added when one of them fails', async () => {
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

  test('scale-out starts no VM when the network cannot be changed', async () => {
    const world = new FakeWorld()
    await using cluster = await world.start(small)
    world.at = point => {
      if (point === 'change') throw broken('no more links')
    }
    await expect(cluster.scaleOut([3])).rejects.toThrow('no more links')
    expect(world.vms.started).toHaveLength(2)
    expect(states(cluster)).toBe('vm-001 ready, vm-002 ready')
  })

  test('scale-out removes its nodes when the routes of an existing node cannot be updated', async () => {
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
      expect.stringMatching(/^The rollback is incomplete: configure vm-001: /),
    ])
    expect(world.vms.alive.map(vm => vm.spec.name)).toEqual(['vm-001', 'vm-201'])
    expect(world.networks.at(-1)).toEqual(world.networks[0])
  })
})

describe('scale-in', () => {
  test('scale-in updates the other nodes first, then stops the nodes and removes their links', async () => {
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

  test('scale-in refuses a node that does not exist, and the last node', async () => {
    const world = new FakeWorld()
    await using cluster = await world.start(small)
    await expect(cluster.scaleIn([7])).rejects.toMatchObject({ code: 'NODE_MISSING' })
    await expect(cluster.scaleIn([1, 2])).rejects.toMatchObject({ code: 'NO_NODES' })
    expect(states(cluster)).toBe('vm-001 ready, vm-002 ready')
  })

  test('scale-in kills a node that does not end by itself', async () => {
    const world = new FakeWorld()
    world.vms.behave('vm-002', { stubborn: true, endless: true })
    await using cluster = await world.start(small)
    const leaving = cluster.scaleIn([2], { graceMs: 100 })
    await world.passing(leaving)
    expect(world.vms.get('vm-002').ended).toEqual({ signal: 'SIGKILL' })
    expect(states(cluster)).toBe('vm-001 ready')
  })
})

describe('simultaneous changes', () => {
  test('simultaneous changes are carried out one at a time, in the order of the calls', async () => {
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

  test('a change that fails does not stop the next one', async () => {
    const world = new FakeWorld()
    await using cluster = await world.start(small)
    const [first, second] = await Promise.allSettled([cluster.scaleOut([1]), cluster.pause([1])])
    expect(first).toMatchObject({ status: 'rejected', reason: { code: 'NODE_EXISTS' } })
    expect(second.status).toBe('fulfilled')
  })
})

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

  test('stop cancels the change in progress, and refuses those that wait', async () => {
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
    for await (const event of events) seen.push(event.event === 'cluster' ? event.state : event.event)
    expect(seen[0]).toBe('stopping')
    expect(seen.at(-1)).toBe('stopped')
  })
})
