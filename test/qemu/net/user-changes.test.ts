import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Cluster, type ClusterEvent, startCluster } from '../../../src/index.ts'
import { segmentOf, type UserWiring } from '../../../src/plan/index.ts'
import { type Census, takeCensus } from '../../support/leaks.ts'
import { freeNumbers } from '../../support/user-wiring.ts'
import { said } from '../cluster/guest-state.ts'

/** One user-space cluster that is paused, reset and scaled. The tests depend on each other, in this order. */
let census: Census
let wiring: UserWiring
let cluster: Cluster
const small = { nvm: 2, nrouters: 1, smp: 1, mtu: 9000, fabric: 'user' } as const

beforeAll(async () => {
  census = await takeCensus()
  wiring = await freeNumbers()
  cluster = await startCluster({ ...small, ...wiring, name: `a${process.pid}` })
})
afterAll(() => cluster?.stop())

const states = () => cluster.status().nodes.map(({ id, state }) => `${id} ${state}`)
const lost = async () => (await cluster.checkReach()).filter(({ ok }) => !ok)

/** Whether the ssh server of a node answers at its forwarded port. */
async function answers(node: number): Promise<boolean> {
  const socket = connect(wiring.sshBase + node, '127.0.0.1')
  try {
    await once(socket, 'data')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

test('the status of a user-space cluster has its fabric and no namespace, and its nodes are clones', async () => {
  expect(cluster.status()).toMatchObject({ fabric: 'user', netns: '' })
  expect(cluster.status().nodes.map(({ milestones }) => milestones.kernel)).toEqual([
    undefined,
    undefined,
    undefined,
  ])
  expect(await lost()).toEqual([])
})

test('packets of 9000 bytes cross a user-space segment without fragments', async () => {
  expect(await said(cluster, 1, 'cat /sys/class/net/eth1/mtu')).toBe('9000\n')
  await said(cluster, 1, 'ping -c 1 -W 5 -s 8972 192.168.1.2')
  expect(await said(cluster, 2, "grep '^Ip:' /proc/net/snmp | cut -d' ' -f15,16")).toMatch(/\n0 0\n$/) // reassembled
})

test('nodes of a user-space cluster keep their ports and reachability after pause, resume and reset', async () => {
  await cluster.pause([1])
  await cluster.resume([1])
  const failed = ended(2)
  process.kill(cluster.status().nodes[1]!.pid!, 'SIGKILL')
  await failed
  await cluster.reset([1, 2])
  expect(states()).toEqual(['1 ready', '2 ready', '201 ready'])
  expect([await answers(1), await answers(2)]).toEqual([true, true])
  expect(await lost()).toEqual([])
})

async function ended(id: number): Promise<void> {
  for await (const event of cluster.events())
    if (event.type === 'node' && event.id === id && event.state === 'failed') return
}

test('scaling a user-space cluster adds and removes ports and segments', async () => {
  await cluster.scaleOut([3, 221])
  expect([await answers(3), await answers(221)]).toEqual([true, true])
  expect(await lost()).toEqual([])
  await cluster.scaleIn([2, 221])
  expect([await answers(3), await answers(2)]).toEqual([true, false])
  expect(await lost()).toEqual([])
})

test('a second user-space cluster with the same ports or segments is refused before it starts a node', async () => {
  const second = async (numbers: Partial<UserWiring>) => {
    const events: ClusterEvent[] = []
    const options = { ...small, ...wiring, ...numbers, name: `b${process.pid}` }
    const starting = startCluster(options, { onEvent: event => events.push(event) })
    const failure = await starting.then(started => started.stop()).catch(reason => reason)
    expect(events.filter(({ type }) => type === 'node')).toEqual([])
    return failure
  }
  expect(await second({})).toMatchObject({
    code: 'PORT_TAKEN',
    reason: expect.stringMatching(/^qemu-system-x86 \(process \d+\) listens there$/),
  })
  const ports = { telnetBase: 0, sshBase: 0, k8sPort: 0, k8sApiPort: 0 }
  expect(await second(ports)).toMatchObject({
    code: 'SEGMENT_TAKEN',
    target: segmentOf(1, wiring.mcastBase).group,
  })
})

test('a stopped user-space cluster leaves nothing behind', async () => {
  await cluster.stop()
  await census.expectUnchanged()
})
