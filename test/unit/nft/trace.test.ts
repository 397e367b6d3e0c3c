import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { valueText } from '../../../src/base/trace/value-text.ts'
import { messages, type NetlinkTraceValue, NLMSG_DONE } from '../../../src/netlink/index.ts'
import { accept, match, openNft } from '../../../src/nft/index.ts'
import { nftDecoder } from '../../../src/nft/trace.ts'
import { FakeKernel } from '../../support/netlink-fake.ts'
import { Traces } from '../../support/traces.ts'
import { readVector } from '../../support/vectors.ts'

const table = { family: 'inet', name: 't' } as const

test('an nf_tables transaction is traced object by object, with its end', async () => {
  await using nft = openNft({ port: new FakeKernel() })
  using traces = new Traces<NetlinkTraceValue>('nft')
  await nft.transaction(({ tables, chains, rules, sets }) => {
    tables.add(table)
    chains.add({ table, name: 'c', type: 'filter', hook: 'input', priority: 0, policy: 'drop' })
    sets.add({ table, name: 's', type: 'ipv4_addr', elements: ['192.168.0.1'] })
    rules.add({ table, chain: 'c', statements: [match.tcp.dport(22), accept()], comment: 'ssh' })
  })
  const bodies = traces.messages.map(({ what, value }) => [what, value.body])
  expect(bodies).toEqual([
    ['NFNL_MSG_BATCH_BEGIN add table inet t', undefined],
    ['NFT_MSG_NEWTABLE add table inet t', { family: 'inet', name: 't', flags: 0 }],
    [
      'NFT_MSG_NEWCHAIN add chain inet t c',
      {
        family: 'inet',
        table: 't',
        name: 'c',
        type: 'filter',
        hook: { name: 'input', priority: 0 },
        policy: 'drop',
      },
    ],
    ['NFT_MSG_NEWSET add set inet t s', expect.objectContaining({ table: 't', name: 's', keyLength: 4 })],
    [
      expect.stringMatching(/^NFT_MSG_NEWSETELEM /),
      expect.objectContaining({ set: 's', elements: [{ key: { value: Uint8Array.of(192, 168, 0, 1) } }] }),
    ],
    [
      'NFT_MSG_NEWRULE add rule inet t c: tcp dport 22 accept',
      {
        family: 'inet',
        table: 't',
        chain: 'c',
        comment: 'ssh',
        expressions: [
          'meta load l4proto => reg 1',
          'cmp eq reg 1 0x00000006',
          'payload load 2b @ transport header + 2 => reg 1',
          'cmp eq reg 1 0x00001600',
          'immediate reg 0 accept',
        ],
      },
    ],
    ['NFNL_MSG_BATCH_END add table inet t', undefined],
    ['ack NFT_MSG_NEWRULE add rule inet t c: tcp dport 22 accept', undefined],
  ])
  expect(traces.messages.at(-1)).toMatchObject({ area: 'nft', direction: 'received', ms: expect.any(Number) })
})

test('the messages of nf_tables are traced in the area nft, and not in netlink', async () => {
  await using nft = openNft({ port: new FakeKernel() })
  using netlink = new Traces('netlink')
  using traces = new Traces('nft')
  await nft.transaction(({ tables }) => tables.add(table))
  expect(traces.messages).toHaveLength(4)
  expect(netlink.messages).toEqual([])
})

const vectors = readdirSync('test/vectors/nft')
  .filter(file => file.endsWith('.hex'))
  .map(file => file.replace('.hex', ''))

test.for(vectors)('the trace decodes every message that nft and the kernel exchanged: %s', name => {
  for (const datagram of readVector(`nft/${name}`).datagrams)
    for (const message of messages(datagram)) {
      if (message.type === NLMSG_DONE) continue
      expect(nftDecoder.nameOf(message.type)).toMatch(/^(NFT|NFNL)_MSG_[A-Z_]+$/)
      const text = valueText(nftDecoder.read(message))
      expect(text).not.toMatch(/\[object|NaN/)
      expect(message.body.left).toBe(0)
    }
})
