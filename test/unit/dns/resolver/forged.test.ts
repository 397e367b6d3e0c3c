import { describe, expect, test } from 'vitest'
import { systemClock } from '../../../../src/base/index.ts'
import { forgeries } from '../../../support/dns-forgeries.ts'
import { address, answerTo, FakeUpstream, query } from '../../../support/dns-upstream.ts'
import { ask, forwarder } from '../asker.ts'

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

  test.each(['127.0.0.1', '10.1.2.3', '192.168.0.1', '169.254.1.1', '::1', 'fd00::1', 'fe80::1', '::'])(
    'refuses %s',
    async target => {
      await using upstream = await FakeUpstream.open(asked =>
        asked.reply(answerTo(asked, { answers: [address(asked.name, target)] })),
      )
      await using resolver = forwarder([upstream], { rebindProtection })
      expect(await ask(resolver, query('a.example'))).toMatchObject({ rcode: 'REFUSED', data: [] })
    },
  )

  test('accepts public addresses, and is off by default', async () => {
    await using upstream = await FakeUpstream.open()
    await using strict = forwarder([upstream], { rebindProtection })
    expect(await ask(strict, query('a.example'))).toMatchObject({ data: ['192.0.2.1'] })
    upstream.behave = asked => asked.reply(answerTo(asked, { answers: [address(asked.name, '10.0.0.1')] }))
    await using lax = forwarder([upstream])
    expect(await ask(lax, query('a.example'))).toMatchObject({ data: ['10.0.0.1'] })
  })
})
