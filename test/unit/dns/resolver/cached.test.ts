import { decode } from 'dns-packet'
import { expect, test } from 'vitest'
import { later } from '../../../../src/dns/index.ts'
import { type Asked, address, answerTo, FakeUpstream, query, soa } from '../../../support/dns-upstream.ts'
import { ManualClock } from '../../../support/manual-clock.ts'
import { ask, askNow, forwarder, udp } from '../asker.ts'

const authorities = [soa('example', { ttl: 900, minimum: 60 })]

test('a name that does not exist is asked for once, whatever the types (RFC 2308 §5)', async () => {
  await using upstream = await FakeUpstream.open(asked =>
    asked.reply(answerTo(asked, { rcode: 3, authorities })),
  )
  await using resolver = forwarder([upstream])
  await ask(resolver, query('no.example'))
  for (const type of ['AAAA', 'TXT', 'MX'])
    expect(askNow(resolver, query('NO.example', { type }))).toMatchObject({
      rcode: 'NXDOMAIN',
      questions: [{ name: 'NO.example', type }],
      authorities: [{ type: 'SOA' }],
    })
  // What is below it may exist: some servers deny names of which only others below exist.
  expect(askNow(resolver, query('www.no.example'))).toBe(later)
  expect(upstream.asked).toHaveLength(1)
})

test('a name without data of a type is asked for again for another type', async () => {
  await using upstream = await FakeUpstream.open(asked => asked.reply(answerTo(asked, { authorities })))
  await using resolver = forwarder([upstream])
  await ask(resolver, query('a.example'))
  expect(askNow(resolver, query('a.example', { type: 'AAAA' }))).toBe(later)
})

test('an alias of a name that does not exist is asked for again for another type', async () => {
  const behave = (asked: Asked) => {
    const alias = { type: 'CNAME', name: asked.name, ttl: 300, data: 'no.example' } as const
    asked.reply(answerTo(asked, { rcode: 3, answers: [alias], authorities }))
  }
  await using upstream = await FakeUpstream.open(behave)
  await using resolver = forwarder([upstream])
  expect(await ask(resolver, query('a.example'))).toMatchObject({ rcode: 'NXDOMAIN' })
  expect(askNow(resolver, query('a.example'))).toMatchObject({ rcode: 'NXDOMAIN' })
  expect(askNow(resolver, query('a.example', { type: 'AAAA' }))).toBe(later)
})

test('stale data serves clients with CD, and with DO, at once when one of them has waited', async () => {
  const clock = new ManualClock()
  await using upstream = await FakeUpstream.open()
  await using resolver = forwarder([upstream], { clock })
  await ask(resolver, query('a.example'))
  await upstream.next()
  clock.pass(301_000)
  upstream.behave = () => {}
  const checking = query('a.example', { flags: 0x0110 })
  const answer = ask(resolver, checking)
  await upstream.next()
  clock.pass(400)
  clock.pass(1500)
  expect(await answer).toMatchObject({ data: ['192.0.2.1'], answers: [{ ttl: 30 }] })
  for (const other of [checking, query('a.example', { edns: 1232, dnssec: true }), query('a.example')])
    expect(askNow(resolver, other)).toMatchObject({ data: ['192.0.2.1'], answers: [{ ttl: 30 }] })
  const validating = query('a.example', { flags: 0x0110, edns: 1232, dnssec: true })
  expect(askNow(resolver, validating)).toBe(later)
})

test('an answer for which there was no room is given from the cache when it may take time', async () => {
  await using upstream = await FakeUpstream.open()
  await using resolver = forwarder([upstream])
  const question = query('a.example')
  await ask(resolver, question)
  expect(askNow(resolver, question, 20)).toBe(later)
  const answer = await new Promise<Buffer>((resolve, failed) =>
    resolver.answerLater({ bytes: question, at: 0, length: question.length }, udp, {
      answered: part => resolve(Buffer.from(part!.bytes.subarray(part!.at, part!.at + part!.length))),
      failed,
    }),
  )
  expect(decode(answer).answers).toMatchObject([{ name: 'a.example', data: '192.0.2.1' }])
  expect(upstream.asked).toHaveLength(1)
})

test('a name that becomes an own one while it is asked for outside is not kept', async () => {
  await using upstream = await FakeUpstream.open(() => {})
  await using resolver = forwarder([upstream])
  const answer = ask(resolver, query('a.example'))
  const asked = await upstream.next()
  resolver.setHosts({ hosts: [{ name: 'a.example', addresses: ['10.0.0.1'] }] })
  asked.reply(answerTo(asked))
  expect(await answer).toMatchObject({ data: ['192.0.2.1'] })
  expect(resolver.cached.entries).toBe(0)
  expect(askNow(resolver, query('a.example'))).toMatchObject({ data: ['10.0.0.1'] })
})

test('a notice tells once that the bytes of the cache are taken before its number of answers', async () => {
  const notices: string[] = []
  const answers = (name: string) => Array.from({ length: 9 }, (_, i) => address(name, `192.0.2.${i}`))
  await using upstream = await FakeUpstream.open(asked =>
    asked.reply(answerTo(asked, { answers: answers(asked.name) })),
  )
  const notice = (text: string) => notices.push(text)
  await using resolver = forwarder([upstream], { cacheBytes: 2000, cacheEntries: 100, notice })
  for (let i = 0; i < 20; i++) await ask(resolver, query(`a${i}.example`))
  const { entries, bytes } = resolver.cached
  expect(entries).toBeLessThan(10)
  expect(bytes).toBeLessThanOrEqual(2000)
  expect(notices).toEqual([
    `The cache is full with ${entries} answers: they take ${bytes} of 2000 bytes, before it has 100. --cache-bytes allows more.`,
  ])
})
