import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type DecodedPacket, decode } from 'dns-packet'
import { expect } from 'vitest'
import { type DnsOptions, openDns } from '../../../src/dns/index.ts'
import { address, answerTo, FakeUpstream, query, soa } from '../../support/dns-upstream.ts'
import { test } from '../../support/leaks.ts'

function serve(upstream: FakeUpstream, options: DnsOptions = {}) {
  return openDns({ listen: ['127.0.0.1:0'], upstreams: [upstream.address], loopCheck: false, ...options })
}

/** The answer to any bytes, over UDP. */
async function exchange(port: number, bytes: Uint8Array) {
  const socket = createSocket('udp4')
  try {
    socket.send(bytes, port, '127.0.0.1')
    const [answer] = (await once(socket, 'message')) as [Buffer]
    return { ...(decode(answer) as DecodedPacket & { rcode: string }), size: answer.length }
  } finally {
    await new Promise<void>(resolve => socket.close(() => resolve()))
  }
}

/** An OPT record with an extended error (RFC 8914), and a cookie before it. */
const explained = (code: number) =>
  Buffer.from([
    0,
    0,
    41,
    16,
    0,
    0,
    0,
    0,
    0,
    0,
    14,
    0,
    10,
    0,
    2,
    1,
    2,
    0,
    15,
    0,
    4,
    code >> 8,
    code,
    0x6f,
    0x6b,
  ])

function withOpt(answer: Buffer, opt: Buffer): Buffer {
  const whole = Buffer.concat([answer, opt])
  whole[11]! += 1
  return whole
}

const codes = ({ additionals = [] }: DecodedPacket) =>
  additionals.flatMap(record =>
    record.type === 'OPT' ? record.options.map(({ data }) => data!.readUInt16BE(0)) : [],
  )

test('an answer to a query that is not read has an OPT record if the query has one', async () => {
  await using upstream = await FakeUpstream.open()
  await using dns = await serve(upstream)
  const changes: [string, string, (bytes: Buffer) => number][] = [
    ['an unknown opcode', 'NOTIMP', bytes => bytes.writeUInt8(0x28, 2)],
    ['two questions', 'FORMERR', bytes => bytes.writeUInt8(2, 5)],
    ['a question for OPT', 'FORMERR', bytes => bytes.writeUInt8(41, 26)],
  ]
  for (const [kind, rcode, change] of changes)
    for (const edns of [undefined, 1232]) {
      const bytes = query('example.org', { ...(edns && { edns }) })
      change(bytes)
      const twice =
        kind === 'two questions' ? Buffer.concat([bytes.subarray(0, 29), bytes.subarray(12)]) : bytes
      const answer = await exchange(dns.port, twice)
      expect([kind, answer.rcode]).toEqual([kind, rcode])
      expect(answer.additionals!.map(({ type }) => type)).toEqual(edns ? ['OPT'] : [])
    }
  expect(dns.snapshot().server.panics).toBe(0)
})

test("an upstream's answer with bytes behind its records is given, without them", async () => {
  await using upstream = await FakeUpstream.open(asked =>
    asked.reply(Buffer.concat([answerTo(asked), Buffer.alloc(9, 0xff)])),
  )
  await using dns = await serve(upstream)
  const bytes = query('a.example')
  for (const answer of [await exchange(dns.port, bytes), await exchange(dns.port, bytes)])
    expect(answer).toMatchObject({ rcode: 'NOERROR', size: bytes.length + 25 })
  expect(dns.snapshot().upstreams).toMatchObject([{ wrong: 0 }])
})

test("an upstream's extended error reaches clients with EDNS, also from the cache", async () => {
  const zone = soa('example', { ttl: 60, minimum: 60 })
  await using upstream = await FakeUpstream.open(asked => {
    if (asked.name === 'bogus.example') asked.reply(withOpt(answerTo(asked, { rcode: 2 }), explained(6)))
    else asked.reply(withOpt(answerTo(asked, { rcode: 3, authorities: [zone] }), explained(0x1234)))
  })
  await using dns = await serve(upstream)
  for (const [name, rcode, code] of [
    ['bogus.example', 'SERVFAIL', 6],
    ['blocked.example', 'NXDOMAIN', 0x1234],
  ] as const) {
    for (let i = 0; i < 2; i++) {
      const answer = await exchange(dns.port, query(name, { edns: 1232 }))
      expect([answer.rcode, codes(answer)]).toEqual([rcode, [code]])
    }
    expect((await exchange(dns.port, query(name))).additionals).toEqual([])
  }
  expect(dns.snapshot().counters).toMatchObject({ failures: 0, hits: 4, misses: 2 })
})

test('a truncated answer has the records that fit, of the first sections first', async () => {
  const names = Array.from({ length: 20 }, (_, i) => `ns${i}.a-long-label-that-takes-room.example`)
  await using upstream = await FakeUpstream.open(asked =>
    asked.reply(
      answerTo(asked, {
        answers: [address(asked.name), address(asked.name, '192.0.2.2')],
        authorities: names.map(data => ({ type: 'NS', name: 'example', ttl: 60, data })),
        additionals: [address('ns0.example')],
      }),
    ),
  )
  await using dns = await serve(upstream)
  for (let i = 0; i < 2; i++) {
    const answer = await exchange(dns.port, query('a.example'))
    const { answers, authorities, additionals, size } = answer
    expect([answer.flag_tc, answers!.length, additionals!.length]).toEqual([true, 2, 0])
    expect(authorities!.length).toBeGreaterThan(0)
    expect(authorities!.map(({ type, ...record }) => [type, 'data' in record && record.data])).toEqual(
      names.slice(0, authorities!.length).map(name => ['NS', name]),
    )
    expect(size).toBeLessThanOrEqual(512)
  }
})

/** A query whose OPT record is padded (RFC 7830) until the whole has so many bytes. */
function padded(size: number): Buffer {
  const plain = query('a.example', { edns: 1232 })
  const rest = size - plain.length - 4
  const option = Buffer.alloc(4 + rest)
  option.writeUInt16BE(12, 0)
  option.writeUInt16BE(rest, 2)
  const whole = Buffer.concat([plain, option])
  whole.writeUInt16BE(option.length, plain.length - 2)
  return whole
}

test.each([false, true])(
  'a UDP query of 4,096 bytes is answered, longer ones are counted (plain: %s)',
  async plain => {
    await using upstream = await FakeUpstream.open()
    await using dns = await serve(upstream, { plainUdp: plain })
    const socket = createSocket('udp4')
    socket.send(padded(4097), dns.port, '127.0.0.1')
    expect(await exchange(dns.port, padded(4096))).toMatchObject({ rcode: 'NOERROR' })
    expect(dns.snapshot().server.lost).toBe(1)
    await new Promise<void>(resolve => socket.close(() => resolve()))
  },
)
