import { expect, test } from 'vitest'
import { NLM_F_ACK, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_ECHO } from '../../../src/netlink/index.ts'
import { accept, type Chain, match, openNft, type Transaction } from '../../../src/nft/index.ts'
import * as wire from '../../../src/nft/wire/index.ts'
import { FakeKernel, type Seen } from '../../support/netlink-fake.ts'

const table = { family: 'inet', name: 't' } as const
const EPERM = 1
const ENOENT = 2

function build({ tables, chains, rules }: Transaction): void {
  tables.add(table)
  chains.add({ table, name: 'c' })
  rules.add({ table, chain: 'c', statements: [match.mark(1), accept()] })
}

/**
 * Acks at the end of a batch, as nfnetlink_rcv_batch() does: those that failed, and those that were
 * requested.
 */
function deciding(refused: (request: Seen, index: number) => number): FakeKernel {
  const kernel = new FakeKernel()
  let index = 0
  kernel.handler = request => kernel.ack(request, { errno: refused(request, index++) })
  return kernel
}

test('a transaction is one datagram in its frame, and its last change requests the answer', async () => {
  const kernel = deciding(() => 0)
  await using nft = openNft({ port: kernel })
  expect(await nft.transaction(build)).toEqual([])
  expect(kernel.sends).toHaveLength(1)
  const [sent] = kernel.sends
  expect(sent?.map(({ type }) => type)).toEqual([
    wire.NFNL_MSG_BATCH_BEGIN,
    wire.NFT_MSG_NEWTABLE,
    wire.NFT_MSG_NEWCHAIN,
    wire.NFT_MSG_NEWRULE,
    wire.NFNL_MSG_BATCH_END,
  ])
  expect(sent?.map(({ flags }) => flags & (NLM_F_ACK | NLM_F_ECHO))).toEqual([
    0,
    0,
    0,
    NLM_F_ACK | NLM_F_ECHO,
    0,
  ])
})

test('an empty transaction sends nothing', async () => {
  const kernel = deciding(() => 0)
  await using nft = openNft({ port: kernel })
  expect(await nft.transaction(() => {})).toEqual([])
  expect(kernel.sends).toEqual([])
})

test('an aborted transaction fails although its good messages are acked', async () => {
  const kernel = deciding((_, index) => (index === 2 ? ENOENT : 0))
  await using nft = openNft({ port: kernel })
  await expect(nft.transaction(build)).rejects.toMatchObject({
    op: 'add chain',
    target: 'inet t c',
    errnoName: 'ENOENT',
    others: [],
  })
})

test("an error on the frame's beginning fails the whole transaction at once", async () => {
  const kernel = new FakeKernel()
  kernel.handler = request => {
    if (request.type === wire.NFNL_MSG_BATCH_BEGIN) kernel.ack(request, { errno: EPERM })
  }
  await using nft = openNft({ port: kernel })
  await expect(nft.transaction(build)).rejects.toMatchObject({
    code: 'NETLINK_NOT_PERMITTED',
    op: 'add table',
    target: 'inet t',
  })
})

test('a transaction returns the rule that the kernel echoes, with its handle', async () => {
  const kernel = new FakeKernel()
  kernel.handler = request => {
    if (request.type === wire.NFT_MSG_NEWRULE)
      kernel.reply(request, {
        type: wire.NFT_MSG_NEWRULE,
        body: wire.ruleMessage,
        value: { family: 1, attributes: { table: 't', chain: 'c', handle: 7n, expressions: [] } },
      })
    kernel.ack(request)
  }
  await using nft = openNft({ port: kernel })
  expect(await nft.transaction(build)).toEqual([{ table, chain: 'c', handle: 7n, expressions: [] }])
})

test('a transaction asks for the sets that it uses and does not make, once for each', async () => {
  const kernel = new FakeKernel()
  await using nft = openNft({ port: kernel })
  const chain = 'c'
  await nft.transaction(({ sets, rules }) => {
    sets.add({ table, name: 'made', type: 'ipv4_addr' })
    for (const name of ['made', 'there', 'there'])
      rules.add({ table, chain, statements: [match.ip.saddr({ set: name }), accept()] })
  })
  const [asked, sent] = kernel.sends
  expect(kernel.sends).toHaveLength(2)
  expect(asked?.map(({ type, body }) => [type, wire.setMessage.read(body).attributes])).toEqual([
    [wire.NFT_MSG_GETSET, { table: 't', name: 'there' }],
  ])
  expect(sent?.map(({ type }) => type).slice(1, -1)).toEqual([
    wire.NFT_MSG_NEWSET,
    wire.NFT_MSG_NEWRULE,
    wire.NFT_MSG_NEWRULE,
    wire.NFT_MSG_NEWRULE,
  ])
})

/** A kernel whose generation is `generation()`, with one table and one chain. */
function listing(generation: () => number, interrupted: () => boolean = () => false): FakeKernel {
  const kernel = new FakeKernel()
  const chain = { family: 1, attributes: { table: 't', name: 'c' } }
  kernel.handler = request => {
    if (request.type === wire.NFT_MSG_GETGEN) {
      const value = { attributes: { id: generation() } }
      kernel.reply(request, { type: wire.NFT_MSG_GETGEN - 1, body: wire.generationMessage, value })
      return kernel.ack(request)
    }
    expect(request.flags & NLM_F_DUMP).toBe(NLM_F_DUMP)
    const flags = interrupted() ? NLM_F_DUMP_INTR : 0
    const { type } = request
    if (type === wire.NFT_MSG_GETTABLE)
      kernel.dump(request, {
        type: wire.NFT_MSG_NEWTABLE,
        body: wire.tableMessage,
        values: [{ family: 1, attributes: { name: 't', handle: 1n } }],
        flags,
      })
    else if (type === wire.NFT_MSG_GETCHAIN)
      kernel.dump(request, { type: wire.NFT_MSG_NEWCHAIN, body: wire.chainMessage, values: [chain], flags })
    else kernel.dump(request, { type, body: wire.ruleMessage, values: [], flags })
  }
  return kernel
}

const expected: Chain[] = [{ name: 'c', handle: 0n, rules: [] }]

test('a listing during which the rules changed is requested again', async () => {
  const generations = [1, 2, 3, 3]
  let asked = 0
  await using nft = openNft({ port: listing(() => generations[asked++]!) })
  expect(await nft.list()).toMatchObject({ generation: 3, tables: [{ ...table, chains: expected }] })
  expect(asked).toBe(4)
})

test('a listing that the kernel marks as interrupted is requested again', async () => {
  let dumps = 0
  const kernel = listing(
    () => 1,
    () => dumps++ === 0,
  )
  await using nft = openNft({ port: kernel })
  expect((await nft.list()).tables).toHaveLength(1)
  expect(dumps).toBe(7)
})

test('a listing that keeps changing is given up', async () => {
  let generation = 0
  await using nft = openNft({ port: listing(() => generation++) })
  await expect(nft.list()).rejects.toMatchObject({ code: 'NETLINK_DUMP_INTERRUPTED', op: 'list' })
})
