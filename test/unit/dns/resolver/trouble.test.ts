import { describe, expect, test } from 'vitest'
import { later, openResolver } from '../../../../src/dns/index.ts'
import { answerTo, FakeUpstream, query } from '../../../support/dns-upstream.ts'
import { ManualClock } from '../../../support/manual-clock.ts'
import { waitFor } from '../../../support/wait.ts'
import { ask, askNow, extendedErrors, forwarder, type Read } from '../asker.ts'

const silent = () => {}

describe('equal DNS queries', () => {
  test('a thousand times at once are sent to the upstream once', async () => {
    await using upstream = await FakeUpstream.open(silent)
    await using resolver = forwarder([upstream])
    const answers = Array.from({ length: 1000 }, (_, id) => ask(resolver, query('a.example', { id })))
    const asked = await upstream.next()
    asked.reply(answerTo(asked))
    expect((await Promise.all(answers)).map(({ id, data }) => [id, ...data])).toEqual(
      Array.from({ length: 1000 }, (_, id) => [id, '192.0.2.1']),
    )
    expect(upstream.asked).toHaveLength(1)
    expect(resolver.counters).toMatchObject({ misses: 1000, merged: 999 })
  })
})

describe('a DNS upstream that does not answer', () => {
  test('causes SERVFAIL after 1.9 s, and its late answer is still cached', async () => {
    const clock = new ManualClock()
    await using upstream = await FakeUpstream.open(silent)
    await using resolver = forwarder([upstream], { clock })
    const answer = ask(resolver, query('a.example', { edns: 1232 }))
    const asked = await upstream.next()
    clock.pass(1900)
    expect(await answer).toMatchObject({ rcode: 'SERVFAIL' })
    expect(extendedErrors(await answer)).toEqual([22])
    asked.reply(answerTo(asked))
    // It takes the place of the failure, which is remembered meanwhile.
    const now = () => askNow(resolver, query('a.example')) as Read
    expect(now()).toMatchObject({ rcode: 'SERVFAIL' })
    await waitFor(() => now().rcode === 'NOERROR')
    expect(now()).toMatchObject({ data: ['192.0.2.1'] })
  })

  test('is asked again from another port with another id, and its first answer counts', async () => {
    const clock = new ManualClock()
    await using upstream = await FakeUpstream.open(silent)
    await using resolver = forwarder([upstream], { clock })
    const answer = ask(resolver, query('a.example'))
    const first = await upstream.next()
    clock.pass(400)
    const second = await upstream.next()
    expect(second.port).not.toBe(first.port)
    first.reply(answerTo(first))
    expect(await answer).toMatchObject({ data: ['192.0.2.1'] })
  })

  test('makes the forwarder ask another one after 400 ms', async () => {
    const clock = new ManualClock()
    await using dead = await FakeUpstream.open(silent)
    await using good = await FakeUpstream.open()
    await using resolver = forwarder([dead, good], { clock })
    for (const i of [1, 2, 3]) {
      const answer = ask(resolver, query(`a${i}.example`))
      await dead.next()
      clock.pass(400)
      expect(await answer).toMatchObject({ data: ['192.0.2.1'] })
    }
    // The good upstream is known by now: it is asked first.
    expect(await ask(resolver, query('b.example'))).toMatchObject({ data: ['192.0.2.1'] })
    expect(resolver.upstreams()).toMatchObject([{ healthy: false }, { healthy: true, answers: 4 }])
  })

  test('leaves known answers in use, served stale for 30 s (RFC 8767)', async () => {
    const clock = new ManualClock()
    await using upstream = await FakeUpstream.open()
    await using resolver = forwarder([upstream], { clock })
    await ask(resolver, query('a.example'))
    await upstream.next()
    clock.pass(301_000)
    upstream.behave = silent
    const answer = ask(resolver, query('a.example', { edns: 1232 }))
    await upstream.next()
    clock.pass(1900)
    expect(await answer).toMatchObject({ data: ['192.0.2.1'], answers: [{ ttl: 30 }] })
    expect(extendedErrors(await answer)).toEqual([3])
    // For a while no client waits again.
    expect(askNow(resolver, query('a.example'))).toMatchObject({ answers: [{ ttl: 30 }] })
    clock.pass(30_000)
    expect(askNow(resolver, query('a.example'))).toBe(later)
    clock.pass(86_400_000)
    upstream.behave = asked => asked.reply(answerTo(asked, { rcode: 2 }))
    expect(await ask(resolver, query('a.example'))).toMatchObject({ rcode: 'SERVFAIL' })
  })
})

describe('a DNS upstream that fails', () => {
  test('makes the forwarder ask the next one at once', async () => {
    await using bad = await FakeUpstream.open(asked => asked.reply(answerTo(asked, { rcode: 2 })))
    await using good = await FakeUpstream.open()
    await using resolver = forwarder([bad, good])
    expect(await ask(resolver, query('a.example'))).toMatchObject({ data: ['192.0.2.1'] })
  })

  test.each([
    [2, 'SERVFAIL', 1],
    [5, 'REFUSED', 1],
    // With EDNS and without.
    [1, 'FORMERR', 2],
    [4, 'NOTIMP', 2],
  ])('with rcode %i and is the only one has its %s passed on, and cached for 5 s', async (...given) => {
    const [code, rcode, queries] = given
    const clock = new ManualClock()
    await using upstream = await FakeUpstream.open(asked => asked.reply(answerTo(asked, { rcode: code })))
    await using resolver = forwarder([upstream], { clock })
    expect(await ask(resolver, query('a.example'))).toMatchObject({ rcode })
    for (let time = 0; time < 9; time++)
      expect(await ask(resolver, query('a.example'))).toMatchObject({ rcode })
    clock.pass(4999)
    const cached = askNow(resolver, query('a.example', { edns: 1232 })) as Read
    expect(cached).toMatchObject({ rcode })
    expect(extendedErrors(cached)).toEqual([13])
    clock.pass(1)
    expect(askNow(resolver, query('a.example'))).toBe(later)
    expect(upstream.asked).toHaveLength(queries)
  })

  test('because it cannot be reached costs no waiting', async () => {
    const upstream = await FakeUpstream.open()
    await using resolver = forwarder([upstream])
    await upstream[Symbol.asyncDispose]()
    const answer = await ask(resolver, query('a.example', { edns: 1232 }))
    expect(answer).toMatchObject({ rcode: 'SERVFAIL' })
    expect(extendedErrors(answer)).toEqual([23])
  })

  test('by sending malformed answers is waited for until its time limit', async () => {
    await using upstream = await FakeUpstream.open(asked => {
      const truncatedRecord = answerTo(asked).subarray(0, -3)
      const twoQuestions = Buffer.from(asked.bytes).fill(2, 5, 6)
      for (const bytes of [
        Buffer.alloc(0),
        Buffer.from('garbage'),
        truncatedRecord,
        twoQuestions,
        asked.bytes,
      ])
        asked.reply(bytes)
      asked.reply(answerTo(asked))
    })
    await using resolver = forwarder([upstream])
    expect(await ask(resolver, query('a.example'))).toMatchObject({ data: ['192.0.2.1'] })
    expect(resolver.upstreams()).toMatchObject([{ wrong: 5, answers: 1 }])
  })
})

describe('an overload of the DNS forwarder', () => {
  test('of pending queries fails those beyond the limit at once, and answers the others', async () => {
    await using upstream = await FakeUpstream.open(silent)
    await using resolver = forwarder([upstream], { maxUnderWay: 3 })
    const first = [1, 2, 3].map(i => ask(resolver, query(`a${i}.example`)))
    const asked = [await upstream.next(), await upstream.next(), await upstream.next()]
    expect(await ask(resolver, query('b.example'))).toMatchObject({ rcode: 'SERVFAIL' })
    for (const each of asked) each.reply(answerTo(each))
    for (const each of first) expect((await each).data).toHaveLength(1)
  })

  test('of open files gives SERVFAIL, and the upstream stays healthy', async () => {
    const failure = Object.assign(new Error('bind EMFILE'), { code: 'EMFILE' })
    const port = {
      receive: (receiver: { end(failure: Error): void }) => queueMicrotask(() => receiver.end(failure)),
      send() {},
      close: async () => {},
      [Symbol.asyncDispose]: async () => {},
    }
    const dialer = { udp: () => port, tcp: () => port }
    await using resolver = openResolver({ upstreams: ['127.0.0.1'], loopCheck: false, dialer })
    const answer = await ask(resolver, query('a.example', { edns: 1232 }))
    expect(answer).toMatchObject({ rcode: 'SERVFAIL' })
    expect(extendedErrors(answer)).toEqual([0])
    expect(resolver.upstreams()).toMatchObject([{ healthy: true }])
  })
})

test('closing the forwarder answers all waiting clients, and leaves nothing open', async () => {
  const clock = new ManualClock()
  await using upstream = await FakeUpstream.open(asked => {
    if (asked.transport === 'udp' && asked.name === 'tcp.example')
      asked.reply(answerTo(asked, { flags: 0x0200 }))
  })
  const resolver = forwarder([upstream], { clock })
  const answers = ['a.example', 'tcp.example'].map(name => ask(resolver, query(name)))
  await waitFor(() => upstream.asked.length === 3)
  await resolver.close()
  await resolver.close()
  expect(await Promise.all(answers)).toMatchObject([{ rcode: 'SERVFAIL' }, { rcode: 'SERVFAIL' }])
  expect(await ask(resolver, query('b.example'))).toMatchObject({ rcode: 'SERVFAIL' })
  expect(clock.waiting).toBe(0)
})

test('a popular name is fetched again before its time is over', async () => {
  const clock = new ManualClock()
  await using upstream = await FakeUpstream.open()
  await using resolver = forwarder([upstream], { clock })
  await ask(resolver, query('a.example'))
  await upstream.next()
  clock.pass(271_000)
  for (const _ of [1, 2]) askNow(resolver, query('a.example'))
  expect(resolver.counters.prefetches).toBe(0)
  expect(askNow(resolver, query('a.example'))).toMatchObject({ answers: [{ ttl: 29 }] })
  expect(resolver.counters.prefetches).toBe(1)
  await upstream.next()
  const fresh = () => (askNow(resolver, query('a.example')) as Read).answers![0] as { ttl: number }
  expect(await waitFor(() => fresh().ttl === 300)).toBe(true)
})

test('each answer is reported while there is an observer', async () => {
  await using upstream = await FakeUpstream.open()
  await using resolver = forwarder([upstream])
  const seen: string[] = []
  resolver.onAnswer = ({ source, asker, query: bytes, answer }) =>
    seen.push(`${source} ${asker.transport} ${bytes.length} ${answer.length}`)
  await ask(resolver, query('a.example'))
  askNow(resolver, query('a.example'))
  askNow(resolver, query('a.example', { flags: 0x2900 }))
  expect(seen).toEqual(['upstream udp 27 52', 'cache udp 27 52', 'rule udp 27 12'])
  resolver.onAnswer = undefined
  askNow(resolver, query('a.example'))
  expect(seen).toHaveLength(3)
})
