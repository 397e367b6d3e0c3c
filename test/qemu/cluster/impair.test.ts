import { expect } from 'vitest'
import { type Cluster, prepareCluster, startCluster } from '../../../src/index.ts'
import { type Topology, topologyOf } from '../../../src/plan/index.ts'
import { test } from '../../support/leaks.ts'

const options = { nvm: 2, nrouters: 0, mem: 112, smp: 1 }
const peer = '192.168.1.2'

async function output(cluster: Cluster, command: string): Promise<string> {
  const { stdout } = await cluster.exec(1, command)
  return String(Buffer.from(stdout)).trim()
}

/** The share of pings that were lost, in percent, and the fastest round trip, in milliseconds. */
async function pings(
  cluster: Cluster,
  count = 5,
): Promise<{ readonly lost: number; readonly fastest: number }> {
  const text = await output(cluster, `ping -q -c ${count} -i 0.05 -W 1 ${peer} || true`)
  const [, lost = ''] = /(\d+)% packet loss/.exec(text) ?? []
  const [, fastest = 'NaN'] = /= ([\d.]+)\//.exec(text) ?? []
  return { lost: Number(lost), fastest: Number(fastest) }
}

const carrier = (cluster: Cluster) => output(cluster, 'cat /sys/class/net/eth1/carrier')

test('a link is delayed, loses packets, is cut off or down, and is whole again', async () => {
  await using cluster = await startCluster(options)
  const link = { node: 1, dev: 'eth1' }
  const plain = { node: 'vm-001', dev: 'eth1', net: 1 }
  const sent = { ...plain, direction: 'sent', by: 'netem in the guest' }

  await cluster.impair({ ...link, delayMs: 50, jitterMs: 5, rate: 10_000_000 })
  expect(cluster.impaired()).toEqual([{ ...sent, delayMs: 50, jitterMs: 5, rate: 10_000_000 }])
  const { lost, fastest } = await pings(cluster)
  expect(lost).toBe(0)
  expect(fastest).toBeGreaterThanOrEqual(45)

  await cluster.impair({ ...link, loss: 1 })
  expect(cluster.impaired()).toEqual([{ ...sent, loss: 1 }])
  expect((await pings(cluster, 2)).lost).toBe(100)

  await cluster.impair({ ...link, partition: true })
  expect((await pings(cluster, 2)).lost).toBe(100)
  expect(await carrier(cluster)).toBe('1') // it does not see why
  expect(await output(cluster, 'ping -q -c 1 -W 5 192.168.0.2 >/dev/null; echo $?')).toBe('0')

  await cluster.impair({ ...link, down: true })
  expect(await carrier(cluster)).toBe('0')
  expect(cluster.impaired()).toEqual([{ ...plain, direction: 'both', by: 'QEMU', down: true }])

  await cluster.impair(link)
  expect(cluster.impaired()).toEqual([])
  expect(await carrier(cluster)).toBe('1')
  expect((await pings(cluster)).lost).toBe(0)
})

/** Interfaces of the guest, and its queueing disciplines of eth1. */
const interfaces = async (cluster: Cluster) =>
  (await output(cluster, 'ls /sys/class/net')).split(/\s+/).sort().join()

test('what a node receives is delayed and lost, beside what it sends, and nothing of it is left', async () => {
  await using cluster = await startCluster(options)
  const link = { node: 1, dev: 'eth1', direction: 'received' } as const
  const before = await interfaces(cluster)
  const findings = async () => (await cluster.verify()).differences
  {
    await using _ = await cluster.impair({ ...link, delayMs: 50 })
    const { lost, fastest } = await pings(cluster)
    expect(lost).toBe(0)
    expect(fastest).toBeGreaterThanOrEqual(45)
    expect(await interfaces(cluster)).toBe(`${before},ifb-eth1`.split(',').sort().join())

    await cluster.impair({ node: 1, dev: 'eth1', delayMs: 50 })
    expect(cluster.impaired().map(({ direction, delayMs }) => [direction, delayMs])).toEqual([
      ['sent', 50],
      ['received', 50],
    ])
    expect((await pings(cluster)).fastest).toBeGreaterThanOrEqual(95)
    expect(await findings()).toEqual([])

    await cluster.impair({ ...link, loss: 1 })
    expect((await pings(cluster, 2)).lost).toBe(100)
    expect(await output(cluster, 'cat /sys/class/net/eth1/statistics/rx_packets')).not.toBe('0')
    await cluster.impair({ node: 1, dev: 'eth1', direction: 'sent' })
    expect(cluster.impaired()).toMatchObject([{ direction: 'received', loss: 1 }])
  }
  expect(cluster.impaired()).toEqual([])
  expect(await interfaces(cluster)).toBe(before)
  expect((await pings(cluster)).lost).toBe(0)
  expect(await findings()).toEqual([])
})

test('a seed is refused where the kernel of the guest ignores it, and the link has what it had', async ({
  skip,
}) => {
  await using cluster = await startCluster({ ...options, nvm: 1 })
  const [major = 0, minor = 0] = (await output(cluster, 'uname -r')).split('.').map(Number)
  skip(major * 100 + minor >= 607, `netem of Linux ${major}.${minor} has a seed`)
  const link = { node: 1, dev: 'eth1', delayMs: 5, loss: 0.1 }
  await cluster.impair(link)
  for (const direction of ['sent', 'received', 'both'] as const)
    await expect(cluster.impair({ ...link, direction, seed: 7 })).rejects.toMatchObject({
      code: 'SEED_UNSUPPORTED',
    })
  expect(cluster.impaired()).toMatchObject([{ direction: 'sent', delayMs: 5, loss: 0.1 }])
  expect((await cluster.verify()).differences).toEqual([])
  expect(await interfaces(cluster)).toBe('eth0,eth1,lo')
})

test('an impairment ends with its scope, and with a reset of the node', async () => {
  await using cluster = await startCluster(options)
  {
    await using _ = await cluster.impair({ node: 1, dev: 'eth1', loss: 1 })
    expect((await pings(cluster, 2)).lost).toBe(100)
  }
  expect(cluster.impaired()).toEqual([])
  expect((await pings(cluster)).lost).toBe(0)

  await cluster.impair({ node: 1, dev: 'eth1', partition: true, delayMs: 5 })
  await cluster.reset([1])
  expect(cluster.impaired()).toEqual([])
  expect((await pings(cluster)).lost).toBe(0)
})

const withLinks = (links: Topology['links']): Topology => ({
  ...topologyOf('xnet'),
  name: 'impaired',
  ...(links && { links }),
})

test('a topology gives impairments at the start, after a reset, and to forks, and a verification finds them', async () => {
  const guest = { by: 'netem in the guest' }
  const links: Topology['links'] = [
    { of: 1, net: 1, delayMs: 25, loss: 0.001 },
    { of: 1, net: 1, direction: 'received', delayMs: 25 },
    { of: 2, net: 0, partition: true },
  ]
  const expected = [
    { node: 'vm-001', dev: 'eth1', net: 1, ...guest, direction: 'sent', delayMs: 25, loss: 0.001 },
    { node: 'vm-001', dev: 'eth1', net: 1, ...guest, direction: 'received', delayMs: 25 },
    { node: 'vm-002', dev: 'eth0', net: 0, by: 'tap', direction: 'both', partition: true },
  ]
  const as = async (cluster: Cluster) => {
    expect(cluster.impaired()).toEqual(expected)
    expect((await pings(cluster)).fastest).toBeGreaterThanOrEqual(45)
    expect(await output(cluster, 'ping -q -c 1 -W 1 192.168.0.2 >/dev/null; echo $?')).toBe('1')
    expect((await cluster.verify()).differences).toEqual([])
  }
  await using lab = await prepareCluster({ ...options, topology: withLinks(links) }, async cluster => {
    await as(cluster)
    await cluster.impair({ node: 1, dev: 'eth1' })
    expect((await cluster.verify()).differences).toEqual([])
    await cluster.reset()
    await as(cluster)
  })
  await using fork = await lab.fork()
  await as(fork)
  await fork.impair({ node: 2, dev: 'eth0', down: true })
  expect((await fork.verify()).differences).toEqual([])
  await fork.impair({ node: 2, dev: 'eth0' })
  expect(await output(fork, 'ping -q -c 5 -W 1 192.168.0.2 >/dev/null; echo $?')).toBe('0')
})

test('a topology that cuts off a link in user space is refused, and nothing is left', async () => {
  const topology = withLinks([{ of: 1, net: 1, partition: true }])
  await expect(startCluster({ ...options, topology, fabric: 'user' })).rejects.toMatchObject({
    code: 'NO_PARTITION',
  })
})

test('what a link cannot have is refused, and leaves it as it is', async () => {
  await using cluster = await startCluster({ ...options, nvm: 1 })
  const refused = (impairment: object, dev = 'eth1') => cluster.impair({ node: 1, dev, ...impairment })
  await expect(refused({ delayMs: 5 }, 'eth7')).rejects.toMatchObject({ code: 'LINK_MISSING' })
  await expect(refused({ loss: 1.5 })).rejects.toThrow('loss is 1.5, and can be from 0 to 1')
  await expect(refused({ delayMs: Number.NaN })).rejects.toMatchObject({ code: 'BAD_IMPAIRMENT' })
  await expect(refused({ jitterMs: 5 })).rejects.toThrow('jitterMs is 5, and delayMs only 0')
  await expect(refused({ reorder: 0.1 })).rejects.toThrow('reorder needs delayMs')
  await expect(refused({ rate: 1.5 })).rejects.toThrow('rate is 1.5')
  await expect(cluster.impair({ node: 9, dev: 'eth1', loss: 1 })).rejects.toMatchObject({
    code: 'NODE_MISSING',
  })
  expect(cluster.impaired()).toEqual([])
  await cluster.pause([1])
  await expect(refused({ delayMs: 5 })).rejects.toMatchObject({ code: 'NODE_NOT_READY' })
})

test('in user space a link cannot be cut off unseen, and the error says what can be done', async () => {
  await using cluster = await startCluster({ ...options, nvm: 1, fabric: 'user' })
  await expect(cluster.impair({ node: 1, dev: 'eth1', delayMs: 50, partition: true })).rejects.toThrow(
    'Use down',
  )
  expect(cluster.impaired()).toEqual([])
  expect((await cluster.exec(1, 'grep -q ^sch_netem /proc/modules')).status).toBe(1) // no delay, either
  await cluster.impair({ node: 1, dev: 'eth1', down: true })
  expect(await carrier(cluster)).toBe('0')
})
