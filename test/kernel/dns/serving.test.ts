import { createSocket } from 'node:dgram'
import { request } from 'node:http'
import { networkInterfaces } from 'node:os'
import { describe, expect } from 'vitest'
import { Scope } from '../../../src/base/index.ts'
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

/** Holds queries whose name begins with `slow` until `release` is called. */
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
  ['received in batches', false],
  ['received by node:dgram', true],
])('a DNS server with UDP %s', (_, plainUdp) => {
  test('gives the same answer over UDP and TCP, in both families, fresh and from the cache', async () => {
    await using upstream = await FakeUpstream.open()
    await using dns = await serve(upstream, { plainUdp })
    for (const tcp of [false, true])
      for (const host of ['127.0.0.1', '::1']) {
        const { rcode, records } = await ask('a.example', { port: dns.port, host, tcp })
        expect([rcode, records[0]?.data]).toEqual(['NOERROR', '192.0.2.1'])
      }
    expect(upstream.asked).toHaveLength(1)
  })

  test('does not answer malformed queries, and answers those after them', async () => {
    await using upstream = await FakeUpstream.open()
    await using dns = await serve(upstream, { plainUdp })
    const socket = createSocket('udp4')
    const received: Buffer[] = []
    socket.on('message', bytes => received.push(bytes))
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
    expect(await waitFor(() => received.length > 0)).toBe(true)
    expect(received.map(bytes => bytes.readUInt16BE(0))).toEqual([9])
    expect(dns.snapshot().server.panics).toBe(0)
    await new Promise<void>(resolve => socket.close(() => resolve()))
  })

  test('that listens on a taken port is refused, and the error names the program that has it', async () => {
    await using upstream = await FakeUpstream.open()
    await using dns = await serve(upstream, { plainUdp, listen: ['127.0.0.1:0'] })
    const again = serve(upstream, { plainUdp, listen: ['127.0.0.1:0', `127.0.0.1:${dns.port}`] })
    await expect(again).rejects.toThrow(
      expect.objectContaining({ code: 'DNS_PORT_TAKEN', reason: expect.stringContaining(`${process.pid}`) }),
    )
    expect((await ask('a.example', dns)).rcode).toBe('NOERROR')
  })
})

test('sends one query to the upstream for a thousand equal ones at once, and answers all', async () => {
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

test('answers queries over TCP in the order in which their answers are there', async () => {
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

test('answers all queries of a client that ended its side, and then closes', async () => {
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

test('closes a connection that is idle for 30 s, and not one that waits for an answer', async () => {
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

test('closes the connection idle longest when there are too many, in all or from an address', async () => {
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
  two.ask('a.example')
  await two.answer()
  await one.closed
  expect(crowded.snapshot().server).toMatchObject({ crowdedOut: 1, connections: 1 })
})

test('refuses a connection from an address whose others all wait for answers', async () => {
  const { behave } = slowly()
  await using upstream = await FakeUpstream.open(behave)
  await using dns = await serve(upstream, { limits: { perAddress: 1 } })
  await using waiting = await TcpClient.open(dns.port)
  waiting.ask('slow.example')
  expect(await waitFor(() => dns.snapshot().counters.misses === 1)).toBe(true)
  await using refused = await TcpClient.open(dns.port)
  await refused.closed
  expect(dns.snapshot().server).toMatchObject({ crowdedOut: 1, connections: 1 })
})

test('takes the place for one more from the client that has most connections, not from the one idle longest', async () => {
  await using upstream = await FakeUpstream.open()
  await using dns = await serve(upstream, { limits: { connections: 4, perAddress: 3 } })
  await using quiet = await TcpClient.open(dns.port)
  quiet.ask('a.example')
  await quiet.answer()
  const leaky: TcpClient[] = []
  await using scope = new Scope()
  for (let i = 0; i < 10; i++) {
    const each = scope.add(await TcpClient.open(dns.port, '127.0.0.2'))
    each.ask('a.example')
    await each.answer()
    leaky.push(each)
  }
  await using third = await TcpClient.open(dns.port, '127.0.0.3')
  third.ask('a.example')
  await third.answer()
  await Promise.all(leaky.slice(0, 8).map(({ closed }) => closed))
  quiet.ask('a.example')
  await quiet.answer()
  expect(dns.snapshot().server).toMatchObject({ crowdedOut: 8, connections: 4 })
})

test('answers this machine at each of its addresses, over UDP and TCP', async () => {
  await using upstream = await FakeUpstream.open()
  await using dns = await serve(upstream)
  const own = Object.values(networkInterfaces()).flatMap(each => each ?? [])
  const hosts = own.flatMap(({ address, scopeid }) => (scopeid ? [] : [address]))
  expect(hosts.length).toBeGreaterThan(0)
  for (const host of hosts)
    for (const tcp of [false, true])
      expect((await ask('a.example', { port: dns.port, host, tcp })).rcode).toBe('NOERROR')
  expect(dns.snapshot().server.refused).toBe(0)
})

test('waits for a client that does not read, then closes it, with bounded memory and while serving others', async () => {
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

test("lets a test wait for a query, and counts it in metrics with CoreDNS's names", async () => {
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
    'wait for a query of never.example: no such query came within 1 ms',
  )
  const signal = AbortSignal.abort(new Error('enough'))
  await expect(dns.query({}, { signal })).rejects.toMatchObject({ code: 'DNS_ABORTED', cause: signal.reason })
  const server = `127.0.0.1:${dns.port}`
  await expect(lookUp({ name: 'a.example', server, signal })).rejects.toMatchObject({ code: 'DNS_ABORTED' })
  const text = await get(dns.metrics!.port, '/metrics')
  expect(text).toContain('coredns_dns_requests_total{server="dns://[::]:')
  expect(text).toMatch(/proto="tcp",family="1",type="A"} 1\n/)
  expect(text).toMatch(/coredns_cache_misses_total\{.*} 2\n/)
  expect(text).toMatch(/coredns_dns_request_duration_seconds_bucket\{.*le="\+Inf"} 2\n/)
  expect(await get(dns.metrics!.port, '/')).toBe('')
})

/** The value of a number after it has stopped growing. */
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
