import { describe, expect, test } from 'vitest'
import { systemClock } from '../../../../src/base/index.ts'
import { forgeries } from '../../../support/dns-forgeries.ts'
import { type Asked, address, answerTo, FakeUpstream, query } from '../../../support/dns-upstream.ts'
import { ask, forwarder, udp } from '../asker.ts'

describe('a forged DNS answer is counted and ignored:', () => {
  test.each(forgeries)('%s', async (_, forge) => {
    await using upstream = await FakeUpstream.open(asked => {
      if (asked.name !== 'a.example') return
      asked.reply(forge(asked))
      asked.reply(answerTo(asked))
    })
    await using resolver = forwarder([upstream])
    expect(await ask(resolver, query('a.example'))).toMatchObject({ data: ['192.0.2.1'] })
    expect(resolver.upstreams()).toMatchObject([{ wrong: 1, queries: 1 }])
  })

  test('200 of them before the true one', async () => {
    await using upstream = await FakeUpstream.open(asked => {
      for (let i = 0; i < 200; i++) asked.reply(forgeries[i % forgeries.length]![1](asked))
      systemClock.after(30, () => asked.reply(answerTo(asked)))
    })
    await using resolver = forwarder([upstream])
    expect(await ask(resolver, query('a.example'))).toMatchObject({ data: ['192.0.2.1'] })
    expect(resolver.upstreams()).toMatchObject([{ wrong: 200 }])
  })
})

test('every query has a new id and a new port', async () => {
  await using upstream = await FakeUpstream.open()
  await using resolver = forwarder([upstream])
  for (let i = 0; i < 64; i++) await ask(resolver, query(`a${i}.example`))
  const ids = new Set(upstream.asked.map(({ packet }) => packet.id))
  const ports = upstream.asked.map(({ port }) => port)
  // 64 draws from 65,536 repeat one in 32 runs, and three in one of a million. The kernel draws ports from
  // 28,000.
  expect(ids.size).toBeGreaterThan(61)
  expect(new Set(ports).size).toBeGreaterThan(58)
  const steps = new Set(ports.slice(1).map((port, i) => port - ports[i]!))
  expect(steps.size).toBeGreaterThan(50)
})

describe('random capitals in DNS queries', () => {
  const mixedCase = true

  test('are sent to the upstream, and the client gets its own spelling back', async () => {
    await using upstream = await FakeUpstream.open()
    await using resolver = forwarder([upstream], { mixedCase })
    const name = 'a-rather-long-name-with-many-letters.example'
    expect(await ask(resolver, query(name))).toMatchObject({ questions: [{ name }], data: ['192.0.2.1'] })
    expect(upstream.asked[0]!.name).not.toBe(name)
    expect(upstream.asked[0]!.name.toLowerCase()).toBe(name)
  })

  test('that come back changed cause a query over TCP', async () => {
    await using upstream = await FakeUpstream.open(asked =>
      asked.reply(
        asked.transport === 'udp'
          ? answerTo({
              ...asked,
              packet: { ...asked.packet, questions: [{ type: 'A', name: swapped(asked.name) }] },
            })
          : answerTo(asked),
      ),
    )
    await using resolver = forwarder([upstream], { mixedCase })
    expect(await ask(resolver, query('a.example'))).toMatchObject({ data: ['192.0.2.1'] })
    expect(resolver.upstreams()).toMatchObject([{ overTcp: 1 }])
  })
})

const swapped = (name: string) =>
  name.replace(/[a-z]/gi, letter => (letter < 'a' ? letter.toLowerCase() : letter.toUpperCase()))

describe('DNS rebind protection', () => {
  const rebindProtection = true

  const plain = ['127.0.0.1', '10.1.2.3', '192.168.0.1', '169.254.1.1', '::1', 'fd00::1', 'fe80::1', '::']
  const hidden = [
    '64:ff9b::10.1.2.3',
    '64:ff9b:1::1',
    '::ffff:0:192.168.0.1',
    '::127.0.0.1',
    '2002:a01:203::1',
  ]
  test.each([...plain, ...hidden])('refuses %s', async target => {
    await using upstream = await FakeUpstream.open(asked =>
      asked.reply(answerTo(asked, { answers: [address(asked.name, target)] })),
    )
    await using resolver = forwarder([upstream], { rebindProtection })
    expect(await ask(resolver, query('a.example'))).toMatchObject({ rcode: 'REFUSED', data: [] })
  })

  test('accepts public addresses, and is off by default', async () => {
    await using upstream = await FakeUpstream.open()
    await using strict = forwarder([upstream], { rebindProtection })
    expect(await ask(strict, query('a.example'))).toMatchObject({ data: ['192.0.2.1'] })
    upstream.behave = asked => asked.reply(answerTo(asked, { answers: [address(asked.name, '10.0.0.1')] }))
    await using lax = forwarder([upstream])
    expect(await ask(lax, query('a.example'))).toMatchObject({ data: ['10.0.0.1'] })
  })

  test.each(['64:ff9b::8.8.8.8', '2002:808:808::1', '2001:db8::10.0.0.1'])('accepts %s', async target => {
    await using upstream = await FakeUpstream.open(asked =>
      asked.reply(answerTo(asked, { answers: [address(asked.name, target)] })),
    )
    await using resolver = forwarder([upstream], { rebindProtection })
    expect(await ask(resolver, query('a.example'))).toMatchObject({ rcode: 'NOERROR' })
  })

  /** An HTTPS record for `.` (RFC 9460): alpn h2, then a hint of this key with these bytes. */
  const https = (asked: Asked, key: number, hint: number[]) => {
    const data = [0, 1, 0, 0, 1, 0, 3, 2, 0x68, 0x32, 0, key, 0, hint.length, ...hint]
    const answer = Buffer.concat([
      asked.bytes.subarray(0, -11),
      Buffer.from([0xc0, 12, 0, 65, 0, 1, 0, 0, 0, 60, 0, data.length, ...data]),
    ])
    answer.set([0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0], 2)
    return answer
  }
  const fd00 = [0xfd, ...new Array<number>(14).fill(0), 1]

  test.each([
    ['a public IPv4 hint', 4, [192, 0, 2, 1, 192, 0, 2, 2], 'NOERROR'],
    ['a private IPv4 hint after a public one', 4, [192, 0, 2, 1, 10, 0, 0, 1], 'REFUSED'],
    ['a private IPv6 hint', 6, fd00, 'REFUSED'],
    ['a hint that is cut off', 6, fd00.slice(0, 9), 'NOERROR'],
    ['no hint, but such bytes for another key', 5, [10, 0, 0, 1], 'NOERROR'],
  ] as const)('looks into HTTPS records: %s', async (...[, key, hint, rcode]) => {
    await using upstream = await FakeUpstream.open(asked => asked.reply(https(asked, key, [...hint])))
    await using resolver = forwarder([upstream], { rebindProtection })
    const question = query('a.example')
    question.writeUInt16BE(65, question.length - 4)
    const answer = await resolver.resolve(question, udp)
    expect(answer![3]! & 15).toBe(rcode === 'REFUSED' ? 5 : 0)
  })

  test("lets a zone's own servers answer private addresses, and no others", async () => {
    const behave = (asked: Asked) =>
      asked.reply(answerTo(asked, { answers: [address(asked.name, '10.0.0.1')] }))
    await using main = await FakeUpstream.open(behave)
    await using lab = await FakeUpstream.open(behave)
    const zones = [{ domain: 'lab.test', upstreams: [lab.address] }]
    await using resolver = forwarder([main], { rebindProtection, zones })
    expect(await ask(resolver, query('a.lab.test'))).toMatchObject({ data: ['10.0.0.1'] })
    expect(await ask(resolver, query('a.example'))).toMatchObject({ rcode: 'REFUSED', data: [] })
    expect(await ask(resolver, query('alab.test'))).toMatchObject({ rcode: 'REFUSED', data: [] })
  })
})
