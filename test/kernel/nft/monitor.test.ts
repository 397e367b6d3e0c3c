import { expect } from 'vitest'
import {
  jump,
  match,
  monitorNft,
  openNft,
  type PacketStep,
  range,
  setMark,
  trace,
  tracePackets,
  useObject,
} from '../../../src/nft/index.ts'
import { openRoute } from '../../../src/rtnl/index.ts'
import { NetNamespace } from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'
import { inNamespace } from '../../support/namespace.ts'
import { tell } from './tell.ts'

const table = { family: 'inet', name: 't' } as const
const chain = 'out'

test('the monitor gives each transaction as one event: its number, its process and its changes', async () => {
  await using namespace = NetNamespace.create()
  await using nft = openNft({ namespace })
  const set = { table, name: 'nets', type: 'ipv4_addr', interval: true } as const
  await nft.transaction(({ tables, sets }) => {
    tables.add({ ...table, comment: 'mine' })
    sets.add(set)
  })
  await using events = await monitorNft({ namespace })
  await nft.transaction(({ chains, objects, rules, sets }) => {
    chains.add({ table, name: chain, hook: 'output', policy: 'drop' })
    objects.add({ table, name: 'all', type: 'counter' })
    sets.add({ table, name: 'ports', type: 'inet_service', elements: [22, 53] })
    sets.addElements({ ...set, elements: ['10.0.0.0/8', range('1.2.3.4', '1.2.3.9')] })
    rules.add({ table, chain, statements: [useObject('counter', 'all')], comment: 'all' })
  })
  const { generation } = await nft.list()
  expect((await events.next()).value).toMatchObject({
    type: 'transaction',
    generation,
    process: { id: process.pid, name: expect.any(String) },
    changes: [
      { type: 'chain', gone: false, table, chain: { name: 'out', hook: 'output', policy: 'drop' } },
      { type: 'object', gone: false, table, object: { name: 'all', type: 'counter', packets: 0n } },
      { type: 'set', gone: false, table, set: { name: 'ports', type: 'inet_service' } },
      { type: 'elements', gone: false, table, set: 'ports', elements: [{ key: 22 }, { key: 53 }] },
      {
        type: 'elements',
        gone: false,
        set: 'nets',
        elements: [{ key: { from: '1.2.3.4', to: '1.2.3.9' } }, { key: '10.0.0.0/8' }],
      },
      { type: 'rule', gone: false, rule: { table, chain, comment: 'all' } },
    ],
  })
  await tell(namespace, ['delete element inet t nets { 10.0.0.0/8 }', 'delete set inet t ports'])
  expect((await events.next()).value).toMatchObject({
    generation: generation + 1,
    process: { name: 'nft' },
    changes: [
      { type: 'elements', gone: true, set: 'nets', elements: [{ key: '10.0.0.0/8' }] },
      { type: 'set', gone: true, set: { name: 'ports' } },
    ],
  })
  await nft.transaction(({ tables }) => tables.remove(table))
  const { value } = await events.next()
  expect(value).toMatchObject({ type: 'transaction', generation: generation + 2 })
  expect(value).toMatchObject({
    changes: expect.arrayContaining([
      expect.objectContaining({ type: 'rule', gone: true }),
      expect.objectContaining({ type: 'table', gone: true, table: expect.objectContaining(table) }),
    ]),
  })
})

test('the monitor tells of a quota that packets have used up', async () => {
  await using namespace = NetNamespace.create()
  await using nft = openNft({ namespace })
  await using events = await monitorNft({ namespace })
  await nft.transaction(({ tables, chains, objects, rules }) => {
    tables.add(table)
    chains.add({ table, name: chain, hook: 'output' })
    objects.add({ table, name: 'little', type: 'quota', bytes: 10n, over: true })
    const request = match.icmp.type('echo-request')
    rules.add({ table, chain, statements: [request, useObject('quota', 'little')] })
  })
  await using route = openRoute({ namespace })
  await route.links.change({ name: 'lo', up: true })
  await inNamespace(namespace, ['ping', '-c', '1', '-W', '5', '127.0.0.1'])
  expect((await events.next()).value).toMatchObject({ type: 'transaction' })
  expect((await events.next()).value).toMatchObject({
    type: 'object',
    table: { family: 'ip', name: 't' },
    object: { name: 'little', type: 'quota', bytes: 10n, used: 10n, over: true },
  })
})

test('a monitor that falls behind is told so, and the next listing is complete', async () => {
  await using namespace = NetNamespace.create()
  await using nft = openNft({ namespace })
  await using events = await monitorNft({ namespace, receiveBuffer: 4096 })
  await nft.transaction(({ tables, sets }) => {
    tables.add(table)
    const elements = Array.from({ length: 4000 }, (_, at) => `10.0.${at >> 8}.${at & 255}`)
    sets.add({ table, name: 'many', type: 'ipv4_addr', elements })
  })
  for await (const event of events) if (event.type === 'lost') break
  expect((await nft.list()).tables[0]?.sets[0]?.elements).toHaveLength(4000)
})

test('the way of a packet through the rules is told step by step, with its headers', async () => {
  await using namespace = NetNamespace.create()
  await using nft = openNft({ namespace })
  await using route = openRoute({ namespace })
  await route.links.change({ name: 'lo', up: true })
  const request = match.icmp.type('echo-request')
  const [traced, jumps, marks] = await nft.transaction(({ tables, chains, rules }) => {
    tables.add(table)
    chains.add({ table, name: 'inner' })
    chains.add({ table, name: chain, hook: 'output', policy: 'drop' })
    rules.add({ table, chain, statements: [request, trace()] })
    rules.add({ table, chain, statements: [jump('inner')] })
    rules.add({ table, chain: 'inner', statements: [setMark(7)] })
  })
  await using steps = tracePackets({ namespace })
  const pinging = inNamespace(namespace, ['ping', '-c', '1', '-W', '1', '127.0.0.1']).catch(() => {})
  const seen: PacketStep[] = []
  for await (const step of steps) {
    if (step.type === 'lost') continue
    seen.push(step)
    if (step.by === 'policy') break
  }
  await pinging
  expect(seen.map(({ chain, by, handle, verdict }) => [chain, by, handle, verdict.code])).toEqual([
    ['out', 'rule', traced?.handle, 'continue'],
    ['out', 'rule', jumps?.handle, 'jump'],
    ['inner', 'rule', marks?.handle, 'continue'],
    ['inner', 'end', undefined, 'continue'],
    ['out', 'end', undefined, 'continue'],
    ['out', 'policy', undefined, 'drop'],
  ])
  expect(new Set(seen.map(({ id }) => id)).size).toBe(1)
  expect(seen[0]).toMatchObject({ table, oif: 1 })
  expect([seen[0]?.headers?.network?.[9], seen[0]?.headers?.transport?.[0]]).toEqual([1, 8]) // ICMP, echo request
  expect(seen.at(-1)?.mark).toBe(7)
})
