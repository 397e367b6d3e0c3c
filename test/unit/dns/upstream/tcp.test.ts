import { describe, expect, test } from 'vitest'
import type { Clock } from '../../../../src/base/index.ts'
import type { Resolver } from '../../../../src/dns/index.ts'
import { Cancellation } from '../../../../src/dns/upstream/cancellation.ts'
import { parseServer } from '../../../../src/dns/upstream/conf/server.ts'
import { Delays } from '../../../../src/dns/upstream/delays.ts'
import { systemDialer } from '../../../../src/dns/upstream/transport/sockets.ts'
import { TcpConnections } from '../../../../src/dns/upstream/transport/tcp.ts'
import type { Try } from '../../../../src/dns/upstream/transport/udp.ts'
import { nameBytes } from '../../../../src/dns/wire/name.ts'
import { keyOf, questionOf, writeQuestion } from '../../../../src/dns/wire/question.ts'
import { type Asked, address, answerTo, FakeUpstream, query } from '../../../support/dns-upstream.ts'
import { ManualClock } from '../../../support/manual-clock.ts'
import { waitFor } from '../../../support/wait.ts'
import { ask, forwarder, tcp, udp } from '../asker.ts'

/** Answers over UDP with TC alone, and over TCP as given. */
const overTcp = (behave: (asked: Asked) => void) => (asked: Asked) => {
  if (asked.transport === 'udp') asked.reply(answerTo(asked, { flags: 0x0200 }))
  else behave(asked)
}
const answers = overTcp(asked => asked.reply(answerTo(asked)))
const answersAndCloses = overTcp(asked => {
  asked.reply(answerTo(asked))
  asked.hangUp()
})

/** Its time stands still: a busy machine would make it ask twice, and these tests count connections. */
const inNoTime = (upstreams: readonly FakeUpstream[]) => forwarder(upstreams, { clock: new ManualClock() })

const askAtOnce = (resolver: Resolver, count: number, domain = 'example') =>
  Promise.all(Array.from({ length: count }, (_, i) => ask(resolver, query(`a${i}.${domain}`))))
const tcpQueries = ({ asked }: FakeUpstream) => asked.filter(({ transport }) => transport === 'tcp')

interface Numbered {
  readonly clock: Clock
  readonly i: number
  readonly ms: number
  readonly cancellation?: Cancellation
}

/** The query number `i`, without a forwarder. */
function tryOf(upstream: FakeUpstream, { clock, i, ms, cancellation = new Cancellation() }: Numbered): Try {
  const question = questionOf(keyOf(nameBytes(`a${i}.example`)!, 1))
  return {
    server: parseServer(upstream.address),
    dialer: systemDialer,
    clock: new Delays(clock),
    name: upstream.address,
    cancellation,
    ms,
    wire: writeQuestion(question, { id: i, edns: true, ad: false, capitals: undefined }),
    questionLength: question.bytes.length,
    wrong() {},
  }
}

describe('TCP to an upstream', () => {
  test('is one connection for many queries once it has answered two, and they are answered in any order', async () => {
    await using upstream = await FakeUpstream.open(answers)
    await using resolver = inNoTime([upstream])
    for (const name of ['first.example', 'second.example']) await ask(resolver, query(name))
    upstream.behave = overTcp(() => {})
    const answered = askAtOnce(resolver, 20)
    await waitFor(() => tcpQueries(upstream).length === 22)
    for (const asked of tcpQueries(upstream).slice(2).toReversed()) asked.reply(answerTo(asked))
    for (const { data } of await answered) expect(data).toHaveLength(1)
    expect(upstream.connections).toBe(1)
  })

  test('shares no connection before the server has answered, and keeps one of them', async () => {
    // Without a forwarder, whose second tries on a busy machine are questions of their own.
    const clock = new ManualClock()
    await using upstream = await FakeUpstream.open(() => {})
    const connections = new TcpConnections()
    const ask = (i: number) => connections.ask(tryOf(upstream, { clock, i, ms: 5000 }))
    const askMany = (from: number, count: number) =>
      Promise.all(Array.from({ length: count }, (_, i) => ask(from + i)))
    const answered = askMany(0, 10)
    await waitFor(() => upstream.asked.length === 10)
    expect(upstream.connections).toBe(10)
    for (const asked of upstream.asked) asked.reply(answerTo(asked))
    await answered
    upstream.behave = asked => asked.reply(answerTo(asked))
    for (const i of [10, 11]) await ask(i)
    await askMany(12, 20)
    expect(upstream.connections).toBe(10)
    await connections.close()
    expect(clock.waiting).toBe(0)
  })

  test('is 32 connections at most while nothing is known, and the other queries wait for one', async () => {
    await using upstream = await FakeUpstream.open(overTcp(() => {}))
    await using resolver = inNoTime([upstream])
    const answered = askAtOnce(resolver, 40)
    await waitFor(() => tcpQueries(upstream).length === 32)
    expect(upstream.connections).toBe(32)
    upstream.behave = answers
    for (const asked of tcpQueries(upstream)) asked.reply(answerTo(asked))
    for (const { data } of await answered) expect(data).toHaveLength(1)
    expect(upstream.connections).toBe(32)
  })

  test('gives every answer of a server that closes after each, and the server stays healthy', async () => {
    await using upstream = await FakeUpstream.open(answersAndCloses)
    await using resolver = inNoTime([upstream])
    for (let round = 0; round < 5; round++)
      for (const { data } of await askAtOnce(resolver, 12, `round${round}.example`))
        expect(data).toEqual(['192.0.2.1'])
    expect(resolver.upstreams()).toMatchObject([{ healthy: true, answers: 60 }])
  })

  test('asks all that are outstanding again when a shared connection ends', async () => {
    await using upstream = await FakeUpstream.open(answers)
    await using resolver = inNoTime([upstream])
    for (const name of ['first.example', 'second.example']) await ask(resolver, query(name))
    upstream.behave = overTcp(() => {})
    const answered = askAtOnce(resolver, 8)
    await waitFor(() => tcpQueries(upstream).length === 10)
    upstream.behave = answers
    tcpQueries(upstream)[2]!.hangUp()
    for (const { data } of await answered) expect(data).toEqual(['192.0.2.1'])
    expect(resolver.upstreams()).toMatchObject([{ healthy: true }])
  })

  test('is opened again when the server closed it meanwhile', async () => {
    await using upstream = await FakeUpstream.open(answers)
    await using resolver = inNoTime([upstream])
    await ask(resolver, query('a.example'))
    upstream.behave = overTcp(asked => {
      if (upstream.connections === 1) asked.hangUp()
      else asked.reply(answerTo(asked))
    })
    expect(await ask(resolver, query('b.example'))).toMatchObject({ data: ['192.0.2.1'] })
    expect(upstream.connections).toBe(2)
  })

  test('that the server always closes at once is a failure after three connections', async () => {
    await using upstream = await FakeUpstream.open(overTcp(asked => asked.hangUp()))
    await using resolver = inNoTime([upstream])
    expect(await ask(resolver, query('a.example'))).toMatchObject({ rcode: 'SERVFAIL' })
    expect(upstream.connections).toBe(3)
  })

  test('that fails does not move the server back for UDP', async () => {
    await using first = await FakeUpstream.open(overTcp(asked => asked.hangUp()))
    await using second = await FakeUpstream.open()
    await using resolver = inNoTime([first, second])
    for (const name of ['a.example', 'b.example', 'c.example', 'd.example'])
      expect(await ask(resolver, query(name))).toMatchObject({ data: ['192.0.2.1'] })
    expect(resolver.upstreams()).toMatchObject([{ healthy: true, answers: 0 }, { answers: 4 }])
    first.behave = asked => asked.reply(answerTo(asked))
    await ask(resolver, query('e.example'))
    expect(resolver.upstreams()).toMatchObject([{ answers: 1 }, { answers: 4 }])
  })

  test('that is stuck is closed, and takes none of the queries that wait for a connection', async () => {
    const clock = new ManualClock()
    await using upstream = await FakeUpstream.open(() => {})
    const connections = new TcpConnections()
    const ended = Array.from({ length: 32 }, (_, i) =>
      connections.ask(tryOf(upstream, { clock, i, ms: 1000 })),
    )
    const silent = Promise.allSettled(ended)
    await waitFor(() => upstream.asked.length === 32)
    const waiting = connections.ask(tryOf(upstream, { clock, i: 32, ms: 5000 }))
    upstream.behave = asked => asked.reply(answerTo(asked))
    clock.pass(1000)
    expect(await waiting).toMatchObject({ rcode: 0 })
    expect(new Set((await silent).map(({ status }) => status))).toEqual(new Set(['rejected']))
    expect([upstream.asked.length, upstream.connections]).toEqual([33, 33])
    await connections.close()
    expect(clock.waiting).toBe(0)
  })

  test('takes no further query after one that was cancelled without a sign of life', async () => {
    const clock = new ManualClock()
    await using upstream = await FakeUpstream.open(asked => {
      if (upstream.connections > 1) asked.reply(answerTo(asked))
    })
    const connections = new TcpConnections()
    const abort = new Cancellation()
    const first = connections.ask(tryOf(upstream, { clock, i: 1, ms: 5000, cancellation: abort }))
    await upstream.next()
    clock.pass(400)
    abort.cancel()
    await expect(first).rejects.toMatchObject({ code: 'UPSTREAM_CALLED_OFF' })
    expect(await connections.ask(tryOf(upstream, { clock, i: 2, ms: 5000 }))).toMatchObject({ rcode: 0 })
    expect(upstream.connections).toBe(2)
    await connections.close()
    expect(clock.waiting).toBe(0)
  })

  test('is closed when it has been idle for 10 s', async () => {
    const clock = new ManualClock()
    await using upstream = await FakeUpstream.open(answers)
    await using resolver = forwarder([upstream], { clock })
    await ask(resolver, query('a.example'))
    expect(clock.waiting).toBe(1)
    clock.pass(10_000)
    await ask(resolver, query('b.example'))
    expect(upstream.connections).toBe(2)
  })
})

describe('a DNS answer that is truncated over TCP', () => {
  const cut = overTcp(asked =>
    asked.reply(answerTo(asked, { answers: [address(asked.name)], flags: 0x0200 })),
  )

  test('is neither passed on nor kept as an answer', async () => {
    const clock = new ManualClock()
    await using upstream = await FakeUpstream.open(cut)
    await using resolver = forwarder([upstream], { clock })
    for (const asker of [udp, tcp])
      expect(await ask(resolver, query('a.example'), asker)).toMatchObject({ rcode: 'SERVFAIL', data: [] })
    clock.pass(1000)
    upstream.behave = answers
    expect(await ask(resolver, query('a.example'))).toMatchObject({ rcode: 'NOERROR', data: ['192.0.2.1'] })
  })

  test('makes the forwarder ask the next server', async () => {
    await using first = await FakeUpstream.open(cut)
    await using second = await FakeUpstream.open()
    await using resolver = inNoTime([first, second])
    expect(await ask(resolver, query('a.example'))).toMatchObject({ rcode: 'NOERROR', data: ['192.0.2.1'] })
  })
})
