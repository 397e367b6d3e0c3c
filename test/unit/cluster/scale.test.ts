import { describe, expect, test } from 'vitest'
import { obedient } from '../../support/fake-guest.ts'
import { broken, FakeWorld } from '../../support/fake-world.ts'
import { notices, small, states } from './watching.ts'

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

test('a change of no nodes changes nothing', async () => {
  const world = new FakeWorld()
  await using cluster = await world.start(small)
  await cluster.scaleOut([])
  await cluster.scaleIn([])
  await cluster.reset([])
  await cluster.pause([])
  expect(states(cluster)).toBe('vm-001 ready, vm-002 ready')
  expect(world.vms.started).toHaveLength(2)
})

test('scale-out takes a number in a string for that number, and refuses other text', async () => {
  const world = new FakeWorld()
  await using cluster = await world.start(small)
  await cluster.scaleOut(['7' as never])
  expect(states(cluster)).toBe('vm-001 ready, vm-002 ready, vm-007 ready')
  await expect(cluster.scaleOut(['seven' as never])).rejects.toMatchObject({ code: 'NODE_NUMBER' })
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
