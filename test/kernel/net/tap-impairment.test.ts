import { readSync, writeSync } from 'node:fs'
import { expect } from 'vitest'
import { Impairments } from '../../../src/cluster/network/impairments.ts'
import type { ClusterNode } from '../../../src/cluster/nodes/node.ts'
import { impairTap, openBridgeFabric } from '../../../src/net/index.ts'
import { planBridges } from '../../../src/plan/index.ts'
import { test } from '../../support/leaks.ts'
import { inNamespace } from '../../support/namespace.ts'

/** A broadcast frame of an experimental protocol (IEEE 802, 0x88b5), with an empty vnet header before it. */
const frame = Buffer.from([
  ...new Array(10).fill(0),
  ...[...new Array(6).fill(0xff), 0, 0, 0, 1, 1, 1, 0x88, 0xb5],
  ...new Array(50).fill(7),
])

/** How many such frames wait at a tap. */
function waiting(tap: number): number {
  const got = Buffer.alloc(2048)
  try {
    const length = readSync(tap, got)
    return (got.subarray(0, length).equals(frame) ? 1 : 0) + waiting(tap)
  } catch {
    return 0 // EAGAIN
  }
}

const taps = { sent: 'xcbr1_t1', received: 'xcbr1_t2' } as const

test('a tap loses a share of what its guest sends, or receives, until it is closed', async () => {
  const nodes = [1, 2, 3].map(id => ({ id, nets: [1] }))
  await using fabric = await openBridgeFabric(planBridges({ mtu: 1500, nodes, host: new Map() }))
  const fds = await Promise.all([1, 2, 3].map(async id => (await fabric.nics(id))[0]!.fds[0]!))
  const [from, to, other] = [fds[0]!, fds[1]!, fds[2]!]
  const { namespace } = fabric
  /** Of 200 frames from the first tap: how many come out of the second, and of the third. */
  const passed = () => {
    const counts = [0, 0]
    for (let sent = 0; sent < 200; sent++) {
      writeSync(from, frame)
      counts[0]! += waiting(to)
      counts[1]! += waiting(other)
    }
    return counts
  }
  expect(passed()).toEqual([200, 200])
  for (const direction of ['sent', 'received'] as const) {
    const rest = direction === 'sent' ? 0 : 200 // what node 2 does not receive, node 3 does
    const all = await impairTap(namespace, { tap: taps[direction], direction, loss: 1 })
    expect(passed()).toEqual([0, rest])
    await all[Symbol.asyncDispose]()
    await using _ = await impairTap(namespace, { tap: taps[direction], direction, loss: 0.5 })
    const [half = 0] = passed()
    expect(half).toBeGreaterThan(60) // 5.6 standard deviations
    expect(half).toBeLessThan(140)
  }
  expect(passed()).toEqual([200, 200])
  expect((await inNamespace(namespace, ['nft', 'list', 'ruleset'])).stdout).toBe('')
})

test('the rate of what a guest receives is limited by tbf, which goes when it is closed, or with the tap', async () => {
  const nodes = [{ id: 2, nets: [1] }]
  await using fabric = await openBridgeFabric(planBridges({ mtu: 1500, nodes, host: new Map() }))
  await fabric.nics(2)
  const qdisc = async () =>
    (await inNamespace(fabric.namespace, ['tc', 'qdisc', 'show', 'dev', taps.received])).stdout
  const before = await qdisc()
  const limited = { tap: taps.received, direction: 'received', rate: 1_000_000, loss: 0.1 } as const
  const impaired = await impairTap(fabric.namespace, limited)
  expect(await qdisc()).toMatch(/^qdisc tbf .* rate 1Mbit burst 3028b lat 100ms/)
  await impaired[Symbol.asyncDispose]()
  expect(await qdisc()).toBe(before)
  const late = await impairTap(fabric.namespace, limited)
  await inNamespace(fabric.namespace, ['ip', 'link', 'del', taps.received])
  await late[Symbol.asyncDispose]()
  expect((await inNamespace(fabric.namespace, ['nft', 'list', 'ruleset'])).stdout).toBe('')
})

test('links of a node without xcluster-guest are impaired on the tap, which says so, or names what this host lacks', async ({
  skip,
}) => {
  const nodes = [{ id: 1, nets: [1] }]
  await using fabric = await openBridgeFabric(planBridges({ mtu: 1500, nodes, host: new Map() }))
  await fabric.nics(1)
  // Of a node it needs these alone: a VM with a guest of its own takes minutes to boot.
  const nets = [{ net: 1, dev: 'eth0', tap: taps.sent }]
  const node = {
    plan: { name: 'vm-001', nets },
    channel: undefined,
    mustRun: () => {},
  } as unknown as ClusterNode
  const state = async () => {
    const ask = async (...words: string[]) => (await inNamespace(fabric.namespace, words)).stdout
    return [
      await ask('nft', 'list', 'ruleset'),
      await ask('tc', 'qdisc'),
      await ask('ls', '/proc/sys/net/ipv4/conf'),
    ]
  }
  const before = await state()
  {
    await using impairments = new Impairments(fabric)
    const by = () => impairments.list([node]).map(link => `${link.direction} ${link.by}`)
    const refused = await impairments.set(node, 'eth0', { delayMs: 5 }).catch((failure: Error) => failure)
    if (!refused) return skip("this host's kernel has netem")
    expect(refused).toMatchObject({ code: 'NO_IMPAIRMENT' })
    expect(String(refused)).toContain("delayMs on the host's tap need sch_netem")
    expect(by()).toEqual([])
    await impairments.set(node, 'eth0', { direction: 'both', loss: 0.5 })
    await impairments.set(node, 'eth0', { direction: 'received', loss: 0.5, rate: 1_000_000 })
    const both = ['sent nftables on the tap', 'received nftables and tbf on the tap']
    expect(by()).toEqual(both)
    // A change that is refused leaves what was there.
    await expect(impairments.set(node, 'eth0', { direction: 'received', delayMs: 5 })).rejects.toThrow(
      'delayMs',
    )
    expect(by()).toEqual(both)
    await impairments.set(node, 'eth0', {})
    expect(by()).toEqual([])
    expect(await state()).toEqual(before)
    await impairments.set(node, 'eth0', { loss: 1 })
  }
  expect(await state()).toEqual(before)
})
