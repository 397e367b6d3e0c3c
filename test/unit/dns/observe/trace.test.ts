import { expect, test } from 'vitest'
import type { DnsTraceValue } from '../../../../src/dns/index.ts'
import { Access } from '../../../../src/dns/server/acl.ts'
import { DnsService } from '../../../../src/dns/server/handler.ts'
import { answerTo, FakeUpstream, query } from '../../../support/dns-upstream.ts'
import { Traces } from '../../../support/traces.ts'
import { ask, askNow, forwarder, udp } from '../asker.ts'

test('the traces of a repeated DNS question show one query to the upstream, then an answer from the cache', async () => {
  await using upstream = await FakeUpstream.open()
  await using resolver = forwarder([upstream])
  using traces = new Traces<DnsTraceValue>('dns')
  await ask(resolver, query('www.example.org', { id: 7, edns: 1232, dnssec: true }))
  askNow(resolver, query('www.example.org', { id: 8, edns: 1232, dnssec: true }))
  const peers = new Map([[upstream.address, 'UPSTREAM']])
  const lines = traces.lines.map(line => line.replace(/127\.0\.0\.1:\d+/, at => peers.get(at) ?? at))
  const records = 'records: ["www.example.org. 300 IN A 192.0.2.1"]'
  expect(lines.map(line => line.replace(/id: \d+, bytes: \d+/, 'SIZES'))).toEqual([
    '<- udp 127.0.0.1:40000: A www.example.org. {SIZES, dnssec: true, udpSize: 1232}',
    '-> upstream UPSTREAM: A www.example.org.',
    `<- upstream UPSTREAM: A www.example.org. NOERROR (T ms) {SIZES, rcode: NOERROR, ${records}}`,
    `-> udp 127.0.0.1:40000: A www.example.org. NOERROR from upstream (T ms) {SIZES, source: upstream, rcode: NOERROR, ${records}}`,
    '<- udp 127.0.0.1:40000: A www.example.org. {SIZES, dnssec: true, udpSize: 1232}',
    `-> udp 127.0.0.1:40000: A www.example.org. NOERROR from cache {SIZES, source: cache, rcode: NOERROR, ${records}}`,
  ])
  expect(traces.messages.map(({ value: { id } }) => id)).toEqual([7, undefined, expect.any(Number), 7, 8, 8])
})

test('answers with local names, refusals, drops and malformed questions are traced', async () => {
  await using resolver = forwarder([])
  resolver.setHosts({ hosts: [{ name: 'vm-001', addresses: ['192.168.0.1'] }] })
  using traces = new Traces('dns')
  askNow(resolver, query('vm-001'))
  askNow(resolver, query('x', { type: 'AXFR' }))
  askNow(resolver, Buffer.from('00018180000000000000000000', 'hex'))
  askNow(resolver, Buffer.from('000101000001000000000000ff', 'hex'))
  expect(traces.words).toEqual([
    ['received', 'A vm-001.'],
    ['sent', 'A vm-001. NOERROR from own'],
    ['received', 'AXFR x.'],
    ['sent', 'AXFR x. REFUSED from rule'],
    ['received', 'malformed question'],
    ['noted', 'malformed question dropped'],
    ['received', 'malformed question'],
    ['sent', 'malformed question FORMERR from rule'],
  ])
})

test('a second query to an upstream over TCP, and a missing answer, are traced', async () => {
  await using upstream = await FakeUpstream.open(asked =>
    asked.transport === 'udp' ? asked.reply(answerTo(asked, { flags: 0x200 })) : asked.hangUp(),
  )
  await using resolver = forwarder([upstream])
  using traces = new Traces<DnsTraceValue>('dns')
  await ask(resolver, query('a.example'))
  expect(traces.words.slice(1, 4)).toEqual([
    ['sent', 'A a.example.'],
    ['sent', 'A a.example. once more, over TCP'],
    ['noted', 'A a.example. without an answer'],
  ])
  expect(traces.messages[3]).toMatchObject({ value: { reason: expect.stringContaining('closed') } })
  expect(traces.words.at(-1)).toEqual(['sent', 'A a.example. SERVFAIL from rule'])
})

test('a question of a client that is not allowed to ask is traced, with its refusal', async () => {
  await using resolver = forwarder([])
  const service = new DnsService(resolver, new Access())
  const bytes = query('a.example')
  const into = { bytes: Buffer.alloc(512), at: 0, length: 512 }
  using traces = new Traces('dns')
  service.answer(
    { bytes, at: 0, length: bytes.length },
    { ...udp, address: 'fd00::7', loopback: false },
    into,
  )
  expect(traces.messages.map(({ peer, what }) => [peer, what])).toEqual([
    ['udp [fd00::7]:40000', 'A a.example.'],
    ['udp [fd00::7]:40000', 'A a.example. REFUSED from rule'],
  ])
})

test('a traced DNS name cannot move the cursor of a terminal', async () => {
  await using resolver = forwarder([])
  using traces = new Traces('dns')
  await ask(resolver, Buffer.from('000101000001000000000000031b5b6d0000010001', 'hex'))
  expect(traces.messages[0]!.what).toBe('A \\027[m.')
})
