import { describe, expect, test } from 'vitest'
import type { ProgressEvent } from '../../../src/api/index.ts'
import type { Cluster } from '../../../src/cluster/index.ts'
import type { Lab } from '../../../src/cluster/lab/lab.ts'
import { prepareIn } from '../../../src/cluster/lab/prepare.ts'
import { broken, FakeWorld } from '../../support/fake-world.ts'
import { nothingLeft } from '../../support/nothing-left.ts'
import { small, states } from './watching.ts'

const nothing = async () => {}

function prepared(
  world: FakeWorld,
  { prepare = nothing, ...options }: Partial<Parameters<typeof prepareIn>[2]> = {},
): Promise<Lab> {
  return prepareIn(world, small, { prepare, spare: 0, ...options })
}

/** Lets time pass until so many VMs run. */
async function running(world: FakeWorld, count: number): Promise<void> {
  for (let turns = 0; world.vms.alive.length !== count && turns < 500; turns++) await world.turns()
  expect(world.vms.alive).toHaveLength(count)
}

test('a cluster is prepared once, and forked as often as asked, at the same time too', async () => {
  const world = new FakeWorld()
  let preparations = 0
  const prepare = async (cluster: Cluster) => {
    preparations++
    await cluster.exec(1, ['warm-up'])
  }
  const lab = await prepared(world, { prepare })
  expect(world.vms.alive).toEqual([])
  const forks = await Promise.all([lab.fork(), lab.fork()])
  expect(preparations).toBe(1)
  for (const fork of forks) expect(states(fork)).toBe('vm-001 ready, vm-002 ready')
  expect(world.vms.alive.every(({ spec }) => spec.template?.isPaused && !spec.freezable)).toBe(true)
  expect(world.networks).toHaveLength(3)
  await forks[0]!.stop()
  await running(world, 2)
  await lab.dispose()
  expect(states(forks[1]!)).toBe('vm-001 stopped, vm-002 stopped')
  nothingLeft(world)
})

test('all nodes stand still before the first is saved, and all are restored before the first goes on', async () => {
  const world = new FakeWorld()
  const order: string[] = []
  world.vms.before = name => void order.push(name)
  const lab = await prepared(world)
  const saved = world.vms.started.map(({ commands }) => commands.slice(commands.indexOf('stop')))
  for (const commands of saved) expect(commands.slice(0, 2)).toEqual(['stop', 'query-migrate-capabilities'])
  order.length = 0
  const fork = await lab.fork()
  expect(order.sort()).toEqual(['vm-001', 'vm-002'])
  for (const { commands } of world.vms.alive)
    expect(commands).toEqual(expect.arrayContaining(['migrate-incoming', 'cont']))
  expect(states(fork)).toBe('vm-001 ready, vm-002 ready')
  await lab.dispose()
  nothingLeft(world)
})

test('a fork tells each guest its time and gives it randomness, and nothing else', async () => {
  const world = new FakeWorld()
  await using lab = await prepared(world)
  await lab.fork()
  for (const { guest } of world.vms.alive)
    expect(guest.told.map(({ steps }) => steps.map(({ kind }) => kind))).toEqual([[6, 5]])
})

describe('where QEMU can be copied, a cluster stands still to be forked', () => {
  const copying = () => Object.assign(new FakeWorld(), { forksQemu: true })

  test('from the beginning to the end of a lab, and forks wait for it', async () => {
    const world = copying()
    const lab = await prepared(world)
    await running(world, 2)
    const standing = world.vms.alive
    expect(standing.every(({ spec }) => spec.forkable)).toBe(true)
    const fork = await lab.fork()
    expect(world.vms.alive).toHaveLength(4)
    expect(standing.map(({ commands }) => commands.at(-1))).toEqual(['stop', 'stop'])
    await fork.stop()
    await running(world, 2)
    await lab.dispose()
    nothingLeft(world)
  })

  test('and when it fails, forks are restored one by one', async () => {
    const world = copying()
    world.vms.behave('vm-002', {}, { wakes: 'refused' }, {})
    const notices: string[] = []
    const onEvent = (event: ProgressEvent) => event.type === 'notice' && notices.push(event.text)
    const lab = await prepared(world, { onEvent })
    const fork = await lab.fork()
    expect(states(fork)).toBe('vm-001 ready, vm-002 ready')
    expect(notices.filter(text => text.startsWith('Forks are restored one by one:'))).toHaveLength(1)
    await lab.dispose()
    nothingLeft(world)
  })
})

describe('spares', () => {
  // Only an emulated processor has code to translate.
  test.for<['tcg' | 'kvm', string[]]>([
    ['tcg', ['cont', 'stop']],
    ['kvm', []],
  ])(
    'stand still until a fork is asked for, warmed up with %s, and are replaced',
    async ([accel, warmedUp]) => {
      const world = new FakeWorld()
      world.accel = accel
      const lab = await prepared(world, { spare: 1 })
      await running(world, 2)
      const moves = () =>
        world.vms.alive.map(({ commands }) => commands.filter(command => /^(cont|stop)$/.test(command)))
      for (let turn = 0; turn < 100; turn++) await world.turns()
      expect(moves()).toEqual([warmedUp, warmedUp])
      const fork = await lab.fork()
      expect(states(fork)).toBe('vm-001 ready, vm-002 ready')
      const going = [...warmedUp, 'cont']
      expect(moves().slice(0, 2)).toEqual([going, going])
      await running(world, 4)
      await lab.dispose()
      nothingLeft(world)
    },
  )

  test('one of which a node has died is not given out', async () => {
    const world = new FakeWorld()
    const lab = await prepared(world, { spare: 1 })
    await running(world, 2)
    world.vms.get('vm-002').end({ signal: 'SIGKILL' })
    const fork = await world.passing(lab.fork())
    expect(states(fork)).toBe('vm-001 ready, vm-002 ready')
    await lab.dispose()
    nothingLeft(world)
  })
})

describe('a fork that is rewound', () => {
  test.for([0, 1])('gives a fresh one and goes by itself, with %i spares', async spare => {
    const world = new FakeWorld()
    const lab = await prepared(world, { spare })
    {
      await using used = await lab.fork()
      const [, again] = await Promise.all([used.rewind(), used.rewind()])
      await using fresh = await used.rewind()
      expect(fresh).toBe(again)
      expect(fresh).not.toBe(used)
      expect(states(fresh)).toBe('vm-001 ready, vm-002 ready')
      await used.stop() // waits for its end, which has begun
      expect(states(used)).toBe('vm-001 stopped, vm-002 stopped')
      await running(world, 2 + 2 * spare)
    }
    await running(world, 2 * spare)
    await lab.dispose()
    nothingLeft(world)
  })

  test('is waited for by the end of its lab, and not by its own block', async () => {
    const world = new FakeWorld()
    const lab = await prepared(world)
    const used = await lab.fork()
    await used.rewind()
    await used[Symbol.asyncDispose]()
    expect(used.state).toBe('stopping')
    await lab.dispose()
    expect(used.state).toBe('stopped')
    nothingLeft(world)
  })

  test('stays as it is when there is no fresh one', async () => {
    const world = new FakeWorld()
    const lab = await prepared(world)
    const used = await lab.fork()
    world.at = point => {
      if (point === 'network') throw broken('no network')
    }
    await expect(used.rewind()).rejects.toMatchObject({ reason: 'no network' })
    expect(states(used)).toBe('vm-001 ready, vm-002 ready')
    world.at = () => {}
    expect(states(await used.rewind())).toBe('vm-001 ready, vm-002 ready')
    await lab.dispose()
    await expect(lab.fork()).rejects.toMatchObject({ code: 'LAB_CLOSED' })
    nothingLeft(world)
  })

  test('that was stopped gives a fresh one too, and a closed lab gives none', async () => {
    const world = new FakeWorld()
    const lab = await prepared(world)
    const used = await lab.fork()
    await used.stop()
    const fresh = await used.rewind()
    expect(states(fresh)).toBe('vm-001 ready, vm-002 ready')
    await lab.dispose()
    await expect(fresh.rewind()).rejects.toMatchObject({ code: 'LAB_CLOSED' })
    nothingLeft(world)
  })

  test.for(['notice', 'error of dispose()'])('and cannot be taken away is named in a %s', async how => {
    const world = new FakeWorld()
    const told: ProgressEvent[] = []
    const onEvent = (event: ProgressEvent) => void told.push(event)
    const lab = await prepared(world, how === 'notice' ? { onEvent } : {})
    const used = await lab.fork()
    world.stuck = 'network'
    await used.rewind()
    await expect(used.stop()).rejects.toThrow()
    world.stuck = undefined
    const why = 'try it: network does not close'
    if (how === 'notice') {
      await lab.dispose()
      expect(told.filter(({ type }) => type === 'notice')).toEqual([
        { type: 'notice', text: `A used fork was not taken away: ${why}` },
      ])
    } else await expect(lab.dispose()).rejects.toMatchObject({ message: why })
    nothingLeft(world)
  })
})

describe('nothing is left when', () => {
  test.for<[string, (cluster: Cluster) => Promise<void>, object]>([
    ['the preparation throws', () => Promise.reject(broken('it failed')), { reason: 'it failed' }],
    ['a node is paused', cluster => cluster.pause([2]), { code: 'NODE_NOT_READY', target: 'vm-002' }],
    ['the cluster was stopped', cluster => cluster.stop(), { code: 'CLUSTER_STOPPING' }],
    [
      'a command runs',
      cluster => cluster.spawn(1, ['cat']).then(nothing),
      { code: 'NODE_BUSY', target: 'vm-001' },
    ],
  ])('%s', async ([, prepare, why]) => {
    const world = new FakeWorld()
    await expect(world.passing(prepared(world, { prepare }))).rejects.toMatchObject(why)
    nothingLeft(world)
  })

  test('a fork has no network', async () => {
    const world = new FakeWorld()
    await using lab = await prepared(world)
    world.at = point => {
      if (point === 'network') throw broken('no network')
    }
    await expect(lab.fork()).rejects.toMatchObject({ reason: 'no network' })
    expect(world.open).toEqual([])
  })

  test('a node of a fork cannot be restored', async () => {
    const world = new FakeWorld()
    await using lab = await prepared(world)
    world.vms.behave('vm-002', { wakes: 'killed' })
    await expect(world.passing(lab.fork())).rejects.toMatchObject({ code: 'CLONE_FAILED', target: 'vm-002' })
    expect(world.vms.alive).toEqual([])
    expect(world.open).toEqual([])
  })

  test('a fork is cancelled', async () => {
    const world = new FakeWorld()
    await using lab = await prepared(world)
    const controller = new AbortController()
    world.vms.before = () => controller.abort()
    await expect(lab.fork({ signal: controller.signal })).rejects.toMatchObject({ code: 'START_CANCELLED' })
    expect(world.vms.alive).toEqual([])
  })
})

test('a cluster with disk images is refused before it starts', async () => {
  const world = new FakeWorld()
  const image = { ...small, image1: '/nowhere/disk' }
  await expect(prepareIn(world, image, { prepare: nothing })).rejects.toMatchObject({
    code: 'CLUSTER_NOT_FREEZABLE',
    reason: 'nodes of it start from a disk image',
  })
  expect(world.vms.started).toEqual([])
})

test('a cluster that was not started for it is not frozen', async () => {
  const world = new FakeWorld()
  const cluster = await world.start(small)
  await expect((cluster as unknown as { freeze(): Promise<unknown> }).freeze()).rejects.toMatchObject({
    code: 'CLUSTER_NOT_FREEZABLE',
  })
  expect(cluster.state).toBe('ready')
  await cluster.stop()
  nothingLeft(world)
})

test('a closed lab gives no forks', async () => {
  const world = new FakeWorld()
  const lab = await prepared(world)
  await lab.dispose()
  await expect(lab.fork()).rejects.toMatchObject({ code: 'LAB_CLOSED' })
  nothingLeft(world)
})
