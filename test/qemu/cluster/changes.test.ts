import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Cluster, type ClusterEvent, startCluster } from '../../../src/index.ts'
import { type Census, takeCensus } from '../../support/leaks.ts'
import { guestStates, said } from './guest-state.ts'
import { nsenter } from './nsenter.ts'

/** One cluster that is paused, reset and scaled. The tests depend on each other, in this order. */
let census: Census
let cluster: Cluster
const events: ClusterEvent[] = []

beforeAll(async () => {
  census = await takeCensus()
  const options = { nvm: 2, nrouters: 1, smp: 1, append7: 'rdinit=/nope' }
  cluster = await startCluster(options, { onEvent: event => events.push(event) })
})
afterAll(() => cluster?.stop())

const states = () => cluster.status().nodes.map(({ id, state }) => `${id} ${state}`)
const lost = async () => (await cluster.checkReach()).filter(({ ok }) => !ok)

/** The links in the cluster's namespace by ip(8), each with its bridge. */
async function links(): Promise<string[]> {
  const said = await nsenter(cluster.status().netns, ['ip', '-j', 'link'])
  const all = JSON.parse(said) as { ifname: string; master?: string }[]
  return all.map(({ ifname, master }) => (master ? `${ifname} in ${master}` : ifname)).sort()
}

const pidOf = (id: number) => cluster.status().nodes.find(node => node.id === id)!.pid

describe('pause and resume', () => {
  test('pause stops a node, which is unreachable until resume, and resume sets its clock', async () => {
    await cluster.pause([1])
    expect(states()).toEqual(['1 paused', '2 ready', '201 ready'])
    expect(events).toContainEqual(expect.objectContaining({ type: 'node', id: 1, state: 'paused' }))
    await expect(cluster.exec(1, 'true')).rejects.toMatchObject({ code: 'NODE_NOT_READY' })
    await cluster.pause([1])
    expect(new Set((await lost()).flatMap(({ from, to }) => [from, to]))).toContain('vm-001')
    await cluster.resume([1])
    const clock = Number(await said(cluster, 1, 'date +%s'))
    expect(Math.abs(clock - Date.now() / 1000)).toBeLessThan(3)
    expect(await lost()).toEqual([])
  })

  test('pause and resume without names affect all nodes', async () => {
    await cluster.pause()
    expect(states()).toEqual(['1 paused', '2 paused', '201 paused'])
    await cluster.resume()
    expect(states()).toEqual(['1 ready', '2 ready', '201 ready'])
  })

  test('pause refuses a node that does not exist, and pauses no other', async () => {
    await expect(cluster.pause([1, 9])).rejects.toMatchObject({ code: 'NODE_MISSING', kind: 'missing' })
    expect(states()).toEqual(['1 ready', '2 ready', '201 ready'])
  })
})

describe('reset', () => {
  test('reset gives a fresh node with the same configuration and the same links', async () => {
    const before = await guestStates(cluster)
    const [pid, linksBefore] = [pidOf(1), await links()]
    await said(cluster, 1, 'echo dirt >/dirt; /sbin/ip addr add 10.0.0.1/8 dev eth1')
    await cluster.reset([1])
    expect(pidOf(1)).not.toBe(pid)
    await expect(said(cluster, 1, 'cat /dirt')).rejects.toThrow('No such file')
    expect(await guestStates(cluster)).toEqual(before)
    expect(await links()).toEqual(linksBefore)
    expect(await lost()).toEqual([])
  })

  test('reset makes failed and paused nodes ready', async () => {
    const failed = until('failed', 2)
    process.kill(pidOf(2)!, 'SIGKILL')
    await failed
    await cluster.pause([201])
    await cluster.reset()
    expect(states()).toEqual(['1 ready', '2 ready', '201 ready'])
    expect(cluster.status().nodes.map(({ reason }) => reason)).toEqual([undefined, undefined, undefined])
    expect(await lost()).toEqual([])
  })
})

async function until(state: string, id: number): Promise<void> {
  for await (const event of cluster.events())
    if (event.type === 'node' && event.id === id && event.state === state) return
}

describe('scaling', () => {
  test('scale-out adds nodes, a router and a net that had no nodes', async () => {
    await Promise.all([cluster.scaleOut([3, 202]), cluster.scaleOut([221])])
    expect(states()).toEqual(['1', '2', '3', '201', '202', '221'].map(id => `${id} ready`))
    expect(await links()).toEqual(
      expect.arrayContaining(['xcbr0_t3 in xcbr0', 'xcbr1_t202 in xcbr1', 'xcbr2_t221 in xcbr2']),
    )
    expect(await lost()).toEqual([])
    const routes = await said(cluster, 1, '/sbin/ip -4 route show default; /sbin/ip -6 route show default')
    expect(routes.match(/via \S+/g)).toEqual(
      ['192.168.1.201', '192.168.1.202', 'fd00::c0a8:1c9', 'fd00::c0a8:1ca'].map(via => `via ${via}`),
    )
  })

  test('scale-in removes nodes with their taps, bridges and routes', async () => {
    await cluster.scaleIn([2, 201, 221])
    expect(states()).toEqual(['1 ready', '3 ready', '202 ready'])
    const [one, three, router] = ['_t1', '_t3', '_t202'].map(end => [
      `xcbr0${end} in xcbr0`,
      `xcbr1${end} in xcbr1`,
    ])
    expect(await links()).toEqual(
      ['lo', 'xcbr0', 'xcbr1', 'xcbr2', 'xcbr2_t202 in xcbr2', ...one!, ...three!, ...router!].sort(),
    )
    const routes = await said(cluster, 1, '/sbin/ip -4 route show default; /sbin/ip -6 route show default')
    expect(routes.match(/via \S+/g)).toEqual(['via 192.168.1.202', 'via fd00::c0a8:1ca'])
    expect(await lost()).toEqual([])
    await expect(cluster.exec(2, 'true')).rejects.toMatchObject({ code: 'NODE_MISSING' })
  })

  test('a node that is paused during a scale-out gets the new routes when it resumes', async () => {
    await cluster.pause([1])
    await cluster.scaleOut([201])
    await cluster.resume([1])
    expect(await said(cluster, 1, '/sbin/ip -4 route show default')).toContain('192.168.1.201')
    expect(await lost()).toEqual([])
  })

  test('a scale-out in which one node fails removes all nodes that it has added', async () => {
    const before = [states(), await links(), cluster.plan]
    await expect(cluster.scaleOut([4, 7, 222])).rejects.toMatchObject({
      code: 'GUEST_PANIC',
      target: 'vm-007',
    })
    expect([states(), await links(), cluster.plan]).toEqual(before)
    expect(await lost()).toEqual([])
  })

  test.for([
    [() => cluster.scaleOut([300]), 'NODE_NUMBER'],
    [() => cluster.scaleOut([4, 1]), 'NODE_EXISTS'],
    [() => cluster.scaleIn([2]), 'NODE_MISSING'],
    [() => cluster.scaleIn([1, 3, 201, 202]), 'NO_NODES'],
  ] as const)('an impossible change is refused and changes nothing: %s', async ([change, code]) => {
    const before = [states(), await links()]
    await expect(change()).rejects.toMatchObject({ code })
    expect([states(), await links()]).toEqual(before)
  })
})

test('a stop during a scale-out cancels it, and leaves nothing behind', async () => {
  const growing = cluster.scaleOut([5, 6])
  const late = cluster.scaleIn([2])
  growing.catch(() => {})
  late.catch(() => {})
  await until('starting', 5)
  await cluster.stop()
  await expect(growing).rejects.toMatchObject({ code: 'CLUSTER_STOPPING' })
  await expect(late).rejects.toMatchObject({ code: 'CLUSTER_STOPPING' })
  expect(cluster.status().state).toBe('stopped')
  await census.expectUnchanged()
})
