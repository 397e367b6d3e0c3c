import { createSocket } from 'node:dgram'
import { request } from 'node:http'
import { describe, expect } from 'vitest'
import { type Dns, type DnsOptions, describeAnswer, lookUp, openDns } from '../../../src/dns/index.ts'
import { questionFor, TcpClient } from '../../support/dns-client.ts'
import { type Asked, answerTo, FakeUpstream } from '../../support/dns-upstream.ts'
import { test } from '../../support/leaks.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { waitFor } from '../../support/wait.ts'

function serve(upstream: FakeUpstream, options: DnsOptions = {}): Promise<Dns> {
  const upstreams = [upstream.address]
  return openDns({ listen: ['[::]:0'], upstreams, loopCheck: false, ...options })
}

async function ask(
  name: string,
  { port, host = '127.0.0.1', tcp = false }: { port: number; host?: string; tcp?: boolean },
) {
  const server = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  return describeAnswer(await lookUp({ name, server, tcp }))!
}

/** Keeps questions whose name begins with `slow` until told. */
function slowly(): { behave: (asked: Asked) => void; release: () => void } {
  const held: Asked[] = []
  return {
    behave(asked) {
      if (asked.name.startsWith('slow')) held.push(asked)
      else asked.reply(answerTo(asked))
    },
    release() {
      for (const asked of held.splice(0)) asked.reply(answerTo(asked))
    },
  }
}

describe.each([
  ['in batches', false],
  ['by node:dgram', true],
])('UDP %s, and TCP', (_, plainUdp) => {
  test('the same answer over both, in both families, new or from the cache', async () => {
    await using upstream = await FakeUpstream.open()
    await using dns = await serve(upstream, { plainUdp })
    for (const tcp of [false, true])
      for (const host of ['127.0.0.1', '::1']) {
        const { rcode, records } = await ask('a.example', { port: dns.port, host, tcp })
        expect([rcode, records[0]?.data]).toEqual(['NOERROR', '192.0.2.1'])
      }
    expect(upstream.asked).toHaveLength(1)
  })

  test('garbage gets no answer, and those after it do', async () => {
    await using upstream = await FakeUpstream.open()
    await using dns = await serve(upstream, { plainUdp })
    const socket = createSocket('udp4')
    const heard: Buffer[] = []
    socket.on('message', bytes => heard.push(bytes))
    const response = questionFor('a.example')
    response[2]! |= 0x80
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.alloc(11),
      Buffer.alloc(12, 0xff),
      Buffer.alloc(5000),
      response,
    ])
      await new Promise(resolve => socket.send(bytes, dns.port, '127.0.0.1', resolve))
    socket.send(questionFor('a.example', 9), dns.port, '127.0.0.1')
    expect(await waitFor(() => heard.length > 0)).toBe(true)
    expect(heard.map(bytes => bytes.readUInt16BE(0))).toEqual([9])
    expect(dns.snapshot().server.panics).toBe(0)
    await new Promise<void>(resolve => socket.close(() => resolve()))
  })

  test('a port that is taken is refused, and who has it is told', async () => {
    await using upstream = await FakeUpstream.open()
    await using dns = await serve(upstream, { plainUdp, listen: ['127.0.0.1:0'] })
    const again = serve(upstream, { plainUdp, listen: ['127.0.0.1:0', `127.0.0.1:${dns.port}`] })
    await expect(again).rejects.toThrow(
      expect.objectContaining({ code: 'DNS_PORT_TAKEN', reason: expect.stringContaining(`${process.pid}`) }),
    )
    expect((await ask('a.example', dns)).rcode).toBe('NOERROR')
  })
})

test('a thousand who ask the same at once make one question, and all are answered', async () => {
  const { behave, release } = slowly()
  await using upstream = await FakeUpstream.open(behave)
  await using dns = await serve(upstream)
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 })
  const ids = new Set<number>()
  socket.on('message', bytes => ids.add(bytes.readUInt16BE(0)))
  for (let id = 0; id < 1000; id++) socket.send(questionFor('slow.example', id), dns.port, '127.0.0.1')
  expect(await waitFor(() => dns.snapshot().counters.questions === 1000)).toBe(true)
  release()
  expect(await waitFor(() => ids.size === 1000)).toBe(true)
  expect(upstream.asked).toHaveLength(1)
  await new Promise<void>(resolve => socket.close(() => resolve()))
})

test('over TCP, what is there first is answered first', async () => {
  const { behave, release } = slowly()
  await using upstream = await FakeUpstream.open(behave)
  await using dns = await serve(upstream)
  await using client = await TcpClient.open(dns.port)
  client.ask('slow.example', 'a.example', 'b.example')
  const first = [await client.answer(), await client.answer()].map(({ id }) => id)
  expect(first.sort()).toEqual([2, 3])
  release()
  expect((await client.answer()).id).toBe(1)
})

test('who asks and hangs up half still gets all answers, then the end', async () => {
  const { behave, release } = slowly()
  await using upstream = await FakeUpstream.open(behave)
  await using dns = await serve(upstream)
  await using client = await TcpClient.open(dns.port)
  client.ask('slow.example', 'a.example')
  client.socket.end()
  expect((await client.answer()).id).toBe(2)
  release()
  expect((await client.answer()).id).toBe(1)
  await client.closed
})

test('an idle connection is ended after 30 s, one that waits for an answer is not', async () => {
  const clock = new ManualClock()
  const { behave } = slowly()
  await using upstream = await FakeUpstream.open(behave)
  await using dns = await serve(upstream, { clock })
  await using idle = await TcpClient.open(dns.port)
  await using waiting = await TcpClient.open(dns.port)
  idle.ask('a.example')
  waiting.ask('slow.example')
  await idle.answer()
  expect(await waitFor(() => dns.snapshot().counters.misses === 2)).toBe(true)
  clock.pass(29_000)
  expect(dns.snapshot().server.connections).toBe(2)
  clock.pass(2000)
  await idle.closed
  expect(await waitFor(() => dns.snapshot().server.connections === 1)).toBe(true)
})

test('one connection too many ends the one that was idle longest; one of one address too many is not taken', async () => {
  await using upstream = await FakeUpstream.open()
  await using dns = await serve(upstream, { limits: { connections: 2, perAddress: 10 } })
  await using first = await TcpClient.open(dns.port)
  first.ask('a.example')
  await first.answer()
  await using second = await TcpClient.open(dns.port)
  second.ask('a.example')
  await second.answer()
  await using third = await TcpClient.open(dns.port)
  third.ask('a.example')
  await third.answer()
  await first.closed
  second.ask('a.example')
  await second.answer()
  await using crowded = await serve(upstream, { limits: { perAddress: 1 } })
  await using one = await TcpClient.open(crowded.port)
  one.ask('a.example')
  await one.answer()
  await using two = await TcpClient.open(crowded.port)
  await two.closed
  expect(crowded.snapshot().server.crowdedOut).toBe(1)
})

test('who does not read is waited for, then left; memory is bounded, others are served', async () => {
  const clock = new ManualClock()
  const records = Array.from({ length: 200 }, (_, i) => `192.0.2.${i}`)
  await using upstream = await FakeUpstream.open(asked =>
    asked.reply(
      answerTo(asked, { answers: records.map(data => ({ type: 'A', name: asked.name, data, ttl: 60 })) }),
    ),
  )
  await using dns = await serve(upstream, { clock })
  await using client = await TcpClient.open(dns.port)
  client.ask('a.example')
  await client.answer()
  client.socket.pause()
  const many = Array.from({ length: 1000 }, () => 'a.example')
  for (let i = 0; i < 20; i++) client.ask(...many)
  const questions = () => dns.snapshot().counters.questions
  expect(await steady(questions)).toBeLessThan(20_000)
  expect((await ask('b.example', { port: dns.port, tcp: true })).records).toHaveLength(200)
  clock.pass(11_000)
  expect(await waitFor(() => dns.snapshot().server.connections === 0)).toBe(true)
  client.socket.resume()
  await client.closed
})

test('a test can wait for a query; metrics count it under the names of CoreDNS', async () => {
  await using upstream = await FakeUpstream.open()
  await using dns = await serve(upstream, { metrics: '127.0.0.1:0' })
  const seen = dns.query({ name: 'A.Example', type: 'a' })
  await ask('b.example', { port: dns.port })
  await ask('a.example', { port: dns.port, tcp: true })
  expect(await seen).toMatchObject({
    name: 'a.example.',
    type: 'A',
    transport: 'tcp',
    rcode: 'NOERROR',
    source: 'upstream',
  })
  await expect(dns.query({ name: 'never.example' }, { timeoutMs: 1 })).rejects.toThrow(
    'wait for a query of never.example: none came in 1 ms',
  )
  const text = await get(dns.metrics!.port, '/metrics')
  expect(text).toContain('coredns_dns_requests_total{server="dns://[::]:')
  expect(text).toMatch(/proto="tcp",family="1",type="A"} 1\n/)
  expect(text).toMatch(/coredns_cache_misses_total\{.*} 2\n/)
  expect(text).toMatch(/coredns_dns_request_duration_seconds_bucket\{.*le="\+Inf"} 2\n/)
  expect(await get(dns.metrics!.port, '/')).toBe('')
})

/** What a number is once it has stopped growing. */
async function steady(number: () => number): Promise<number> {
  let before = Number.NaN
  await waitFor(() => {
    const same = before === number()
    before = number()
    return same
  })
  return before
}

function get(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, agent: false }, async response => {
      const pieces: Buffer[] = []
      for await (const piece of response) pieces.push(piece)
      resolve(Buffer.concat(pieces).toString())
    })
      .once('error', reject)
      .end()
  })
}
