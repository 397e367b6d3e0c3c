import { describe, expect, test } from 'vitest'
import { drop, later } from '../../../../src/dns/index.ts'
import { address, answerTo, FakeUpstream, query, soa } from '../../../support/dns-upstream.ts'
import { ManualClock } from '../../../support/manual-clock.ts'
import { ask, askNow, forwarder, type Read, tcp } from '../asker.ts'

describe('an answer of the DNS forwarder', () => {
  test("comes from the upstream once, then from the cache, with each query's id and spelling", async () => {
    await using upstream = await FakeUpstream.open()
    await using resolver = forwarder([upstream])
    expect(askNow(resolver, query('www.example.org'))).toBe(later)
    const first = await ask(resolver, query('WWW.example.org', { id: 7 }))
    expect(first).toMatchObject({ id: 7, data: ['192.0.2.1'], questions: [{ name: 'WWW.example.org' }] })
    const second = askNow(resolver, query('www.Example.ORG', { id: 8 })) as Read
    expect(second).toMatchObject({ id: 8, data: ['192.0.2.1'], questions: [{ name: 'www.Example.ORG' }] })
    expect(upstream.asked).toHaveLength(1)
    expect(resolver.counters).toMatchObject({ questions: 2, misses: 1, hits: 1 })
  })

  test('has a TTL that counts down, and is gone when that is over', async () => {
    const clock = new ManualClock()
    await using upstream = await FakeUpstream.open()
    await using resolver = forwarder([upstream], { clock })
    await ask(resolver, query('a.example'))
    clock.pass(100_900)
    expect((askNow(resolver, query('a.example')) as Read).answers).toMatchObject([{ ttl: 200 }])
    clock.pass(199_100)
    expect(askNow(resolver, query('a.example'))).toBe(later)
  })

  test('is cached for --cache-ttl-max at the longest', async () => {
    await using upstream = await FakeUpstream.open(asked =>
      asked.reply(answerTo(asked, { answers: [address(asked.name, '192.0.2.1', 86_400)] })),
    )
    await using resolver = forwarder([upstream], { cacheTtlMax: 3000 })
    expect((await ask(resolver, query('a.example'))).answers).toMatchObject([{ ttl: 3000 }])
  })

  test('with TTL 0 is passed on and not cached', async () => {
    await using upstream = await FakeUpstream.open(asked =>
      asked.reply(answerTo(asked, { answers: [address(asked.name, '192.0.2.1', 0)] })),
    )
    await using resolver = forwarder([upstream])
    for (const id of [1, 2]) expect((await ask(resolver, query('a.example', { id }))).data).toHaveLength(1)
    expect(upstream.asked).toHaveLength(2)
  })

  test('without records is cached as long as the SOA says', async () => {
    const clock = new ManualClock()
    await using upstream = await FakeUpstream.open(asked =>
      asked.reply(answerTo(asked, { rcode: 3, authorities: [soa('example', { ttl: 900, minimum: 60 })] })),
    )
    await using resolver = forwarder([upstream], { clock })
    const first = await ask(resolver, query('no.example'))
    expect(first).toMatchObject({ rcode: 'NXDOMAIN', authorities: [{ ttl: 60 }] })
    clock.pass(59_000)
    expect(askNow(resolver, query('no.example'))).toMatchObject({
      rcode: 'NXDOMAIN',
      authorities: [{ ttl: 1 }],
    })
    clock.pass(1000)
    expect(askNow(resolver, query('no.example'))).toBe(later)
  })

  test('without records and SOA is not cached', async () => {
    await using upstream = await FakeUpstream.open(asked => asked.reply(answerTo(asked, { answers: [] })))
    await using resolver = forwarder([upstream])
    await ask(resolver, query('a.example'))
    expect(askNow(resolver, query('a.example'))).toBe(later)
  })

  test('depends on type, DO, CD and RD, and on nothing else', async () => {
    await using upstream = await FakeUpstream.open()
    await using resolver = forwarder([upstream])
    const different = [
      query('a.example'),
      query('a.example', { type: 'TXT' }),
      query('a.example', { edns: 1232, dnssec: true }),
      query('a.example', { flags: 0x0110 }),
      query('a.example', { flags: 0x0000 }),
    ]
    for (const each of different) await ask(resolver, each)
    expect(upstream.asked).toHaveLength(5)
    const same = [query('A.EXAMPLE', { id: 9 }), query('a.example', { edns: 512 })]
    for (const each of same) expect(askNow(resolver, each)).toMatchObject({ rcode: 'NOERROR' })
    expect(upstream.asked[2]!.packet.additionals).toMatchObject([{ type: 'OPT', flag_do: true }])
    expect(upstream.asked[3]!.packet.flag_cd).toBe(true)
    expect(upstream.asked[4]!.packet.flag_rd).toBe(false)
  })
})

describe('a long answer of the DNS forwarder', () => {
  const firsts = (count: number) => Array.from({ length: count }, (_, i) => `192.0.2.${i}`)
  const many = (name: string) => Array.from({ length: 60 }, (_, i) => address(name, `192.0.2.${i}`))

  test('is truncated for UDP to the size that the client takes, and whole over TCP', async () => {
    await using upstream = await FakeUpstream.open(asked =>
      asked.reply(answerTo(asked, { answers: many(asked.name) })),
    )
    await using resolver = forwarder([upstream])
    const plain = await ask(resolver, query('a.example'))
    expect(plain).toMatchObject({ flag_tc: true, data: firsts(19) })
    expect(plain.bytes.length).toBe(27 + 19 * 25)
    const roomy = askNow(resolver, query('a.example', { edns: 800 })) as Read
    expect(roomy).toMatchObject({ flag_tc: true, data: firsts(30), additionals: [{ type: 'OPT' }] })
    const huge = askNow(resolver, query('a.example', { edns: 65_535 })) as Read
    expect(huge).toMatchObject({ flag_tc: true, data: firsts(47) })
    expect((await ask(resolver, query('a.example'), tcp)).data).toHaveLength(60)
    expect(upstream.asked).toHaveLength(1)
  })

  test('that an upstream truncates is fetched again over TCP, and only then cached', async () => {
    await using upstream = await FakeUpstream.open(asked =>
      asked.reply(
        asked.transport === 'udp'
          ? answerTo(asked, { flags: 0x0200 })
          : answerTo(asked, { answers: many(asked.name) }),
      ),
    )
    await using resolver = forwarder([upstream])
    expect((await ask(resolver, query('a.example'), tcp)).data).toHaveLength(60)
    expect(resolver.upstreams()).toMatchObject([{ overTcp: 1 }])
  })

  test('loses its additional section before it is truncated', async () => {
    const extra = Array.from({ length: 40 }, (_, i) => address(`x${i}.example`))
    await using upstream = await FakeUpstream.open(asked =>
      asked.reply(answerTo(asked, { answers: [address(asked.name)], additionals: extra })),
    )
    await using resolver = forwarder([upstream])
    expect(await ask(resolver, query('a.example'))).toMatchObject({
      flag_tc: false,
      data: ['192.0.2.1'],
      additionals: [],
    })
  })

  test('that does not fit the buffer takes the slow path, and is not truncated', async () => {
    await using upstream = await FakeUpstream.open()
    await using resolver = forwarder([upstream])
    await ask(resolver, query('a.example'))
    expect(askNow(resolver, query('a.example'), 30)).toBe(later)
  })
})

test('a message that is an answer or malformed gets no answer', async () => {
  await using resolver = forwarder([])
  for (const bytes of [Buffer.alloc(0), Buffer.alloc(11), Buffer.alloc(40, 0xff)]) {
    expect(askNow(resolver, bytes)).toBe(drop)
    expect(await resolver.resolve(bytes, tcp)).toBeUndefined()
  }
})
