import { expect } from 'vitest'
import { counter, map, match, openNft, quota, useObject } from '../../../src/nft/index.ts'
import { openRoute } from '../../../src/rtnl/index.ts'
import { NetNamespace } from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'
import { inNamespace } from '../../support/namespace.ts'

const table = { family: 'inet', name: 't' } as const
const chain = 'out'
const request = match.icmp.type('echo-request')

async function pingSelf(namespace: NetNamespace): Promise<void> {
  await using route = openRoute({ namespace })
  await route.links.change({ name: 'lo', up: true })
  await inNamespace(namespace, ['ping', '-c', '1', '-W', '5', '127.0.0.1'])
}

test('named counters and quotas count packets, directly and by a map, and begin again when they are reset', async () => {
  await using namespace = NetNamespace.create()
  await using nft = openNft({ namespace })
  await nft.transaction(({ tables, chains, objects, sets, rules }) => {
    tables.add(table)
    chains.add({ table, name: chain, hook: 'output' })
    objects.add({ table, name: 'pings', type: 'counter', comment: 'echo requests' })
    objects.add({ table, name: 'self', type: 'counter' })
    objects.add({ table, name: 'much', type: 'quota', bytes: 1_000_000n })
    const elements = [{ key: '127.0.0.1', statements: [counter()] }]
    sets.add({ table, name: 'each', type: 'ipv4_addr', statements: [counter()], elements })
    const self = map(match.ip.daddr, [['127.0.0.1', 'self']])
    rules.add({ table, chain, statements: [request, useObject('counter', 'pings')] })
    rules.add({ table, chain, statements: [request, useObject('counter', self)] })
    rules.add({ table, chain, statements: [request, useObject('quota', 'much'), counter()] })
    rules.add({
      table,
      chain,
      statements: [request, match.ip.daddr({ set: 'each' }), quota({ bytes: 500n })],
    })
  })
  await pingSelf(namespace)
  const counted = { packets: 1n, bytes: 84n }
  expect(await nft.resetObjects({ table, type: 'counter' })).toMatchObject([
    { table, name: 'pings', type: 'counter', comment: 'echo requests', ...counted },
    { table, name: 'self', type: 'counter', ...counted },
  ])
  expect(await nft.resetObjects()).toMatchObject([
    { name: 'pings', packets: 0n, bytes: 0n },
    { name: 'self', packets: 0n },
    { name: 'much', type: 'quota', bytes: 1_000_000n, used: 84n },
  ])
  const { stdout } = await inNamespace(namespace, ['nft', '-j', 'list', 'counters'])
  expect(stdout).toContain('"packets": 0, "bytes": 0')

  const rules = await nft.resetRules({ table, chain })
  expect(rules.at(-2)?.expressions.at(-1)).toMatchObject({ kind: 'counter', ...counted })
  expect(rules.at(-1)?.expressions.at(-1)).toMatchObject({ kind: 'quota', consumed: 84n })
  const again = await nft.resetRules()
  expect(again.at(-2)?.expressions.at(-1)).toMatchObject({ kind: 'counter', packets: 0n })
  const each = { table, name: 'each' }
  expect(await nft.resetElements(each)).toMatchObject([{ expressions: [{ kind: 'counter', ...counted }] }])
  expect(await nft.resetElements(each)).toMatchObject([{ expressions: [{ packets: 0n, bytes: 0n }] }])
  await expect(nft.resetElements({ table, name: 'none' })).rejects.toMatchObject({
    code: 'NETLINK_NOT_FOUND',
    op: 'reset',
    target: 'inet t none',
  })
})

test('an object that something refers to stays, and the error names it', async () => {
  await using namespace = NetNamespace.create()
  await using nft = openNft({ namespace })
  const [rule] = await nft.transaction(({ tables, chains, objects, rules }) => {
    tables.add(table)
    chains.add({ table, name: chain, hook: 'output' })
    objects.create({ table, name: 'pings', type: 'counter' })
    rules.add({ table, chain, statements: [useObject('counter', 'pings')] })
  })
  const remove = () =>
    nft.transaction(({ objects }) => objects.remove({ table, name: 'pings', type: 'counter' }))
  await expect(remove()).rejects.toMatchObject({
    code: 'NETLINK_IN_USE',
    op: 'delete counter',
    target: 'inet t pings',
  })
  await nft.transaction(({ rules }) => rules.remove(rule!))
  await remove()
  expect((await nft.list()).tables[0]?.objects).toEqual([])
  const missing = nft.transaction(({ rules }) =>
    rules.add({ table, chain, statements: [useObject('quota', 'none')] }),
  )
  await expect(missing).rejects.toMatchObject({
    code: 'NETLINK_NOT_FOUND',
    target: 'inet t out: quota name "none"',
  })
})
