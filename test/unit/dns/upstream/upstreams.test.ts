import { describe, expect, test } from 'vitest'
import type { Resolver } from '../../../../src/dns/index.ts'
import { answerTo, FakeUpstream, query } from '../../../support/dns-upstream.ts'
import { ManualClock } from '../../../support/manual-clock.ts'
import { waitFor } from '../../../support/wait.ts'
import { ask, forwarder } from '../asker.ts'

const silent = () => {}

describe('the upstream that is asked first', () => {
  const counts = (upstreams: FakeUpstream[]) => upstreams.map(({ asked }) => asked.length)
  const askMany = async (resolver: Resolver, count: number) => {
    for (let i = 0; i < count; i++) await ask(resolver, query(`a${i}.example`))
  }

  test('is the first one in order', async () => {
    await using first = await FakeUpstream.open()
    await using second = await FakeUpstream.open()
    await using resolver = forwarder([first, second])
    await askMany(resolver, 10)
    expect(counts([first, second])).toEqual([10, 0])
  })

  test('is a random one with the policy random', async () => {
    await using first = await FakeUpstream.open()
    await using second = await FakeUpstream.open()
    await using resolver = forwarder([first, second], { policy: 'random' })
    await askMany(resolver, 40)
    // The chance that all queries go to one is 1 in 10^12.
    expect(Math.min(...counts([first, second]))).toBeGreaterThan(0)
  })

  test('is the one with the fastest recent answers', async () => {
    const clock = new ManualClock()
    await using slow = await FakeUpstream.open(asked => {
      clock.pass(100)
      asked.reply(answerTo(asked))
    })
    await using fast = await FakeUpstream.open()
    await using resolver = forwarder([slow, fast], { policy: 'fastest', clock })
    await askMany(resolver, 60)
    expect(fast.asked.length).toBeGreaterThan(40)
  })

  test("is one of the name's domain", async () => {
    await using main = await FakeUpstream.open()
    await using corp = await FakeUpstream.open()
    await using lab = await FakeUpstream.open()
    const zones = [
      { domain: 'corp.example', upstreams: [corp.address] },
      { domain: 'Lab.Corp.Example.', upstreams: [lab.address] },
    ]
    await using resolver = forwarder([main], { zones })
    for (const name of ['corp.example', 'a.CORP.example', 'x.lab.corp.example', 'xcorp.example', 'example'])
      await ask(resolver, query(name))
    const asked = [main, corp, lab].map(upstream => upstream.asked.map(({ name }) => name))
    expect(asked).toEqual([
      ['xcorp.example', 'example'],
      ['corp.example', 'a.corp.example'],
      ['x.lab.corp.example'],
    ])
    expect(resolver.upstreams().map(({ zone }) => zone)).toEqual(['.', 'corp.example', 'Lab.Corp.Example.'])
  })

  test("is one of the domain's parent for a domain's DS records", async () => {
    await using main = await FakeUpstream.open()
    await using corp = await FakeUpstream.open()
    await using lab = await FakeUpstream.open()
    const zones = [
      { domain: 'corp.example', upstreams: [corp.address] },
      { domain: 'lab.corp.example', upstreams: [lab.address] },
    ]
    await using resolver = forwarder([main], { zones })
    for (const name of ['corp.example', 'lab.corp.example', 'x.lab.corp.example'])
      await ask(resolver, query(name, { type: 'DS' }))
    const asked = [main, corp, lab].map(upstream => upstream.asked.map(({ name }) => name))
    expect(asked).toEqual([['corp.example'], ['lab.corp.example'], ['x.lab.corp.example']])
  })

  test('can be one that was down, after a pause', async () => {
    const clock = new ManualClock()
    await using upstream = await FakeUpstream.open(silent)
    await using other = await FakeUpstream.open()
    await using resolver = forwarder([upstream, other], { clock })
    for (const i of [1, 2, 3]) {
      const answer = ask(resolver, query(`a${i}.example`))
      await upstream.next()
      clock.pass(400)
      await answer
    }
    await ask(resolver, query('b.example'))
    expect(upstream.asked).toHaveLength(3)
    upstream.behave = asked => asked.reply(answerTo(asked))
    clock.pass(1000)
    await ask(resolver, query('c.example'))
    expect(upstream.asked).toHaveLength(4)
    expect(resolver.upstreams()).toMatchObject([{ healthy: true }, { healthy: true }])
  })

  test('is never one that leads back to this forwarder', async () => {
    const notices: string[] = []
    await using good = await FakeUpstream.open()
    await using loop = await FakeUpstream.open()
    const options = { loopCheck: true, notice: (text: string) => notices.push(text) }
    await using resolver = forwarder([loop, good], options)
    loop.behave = async asked => {
      const answer = await resolver.resolve(asked.bytes, { transport: 'udp', address: '::1', port: 1 })
      asked.reply(answer!)
    }
    await waitFor(() => notices.length > 0)
    expect(notices).toEqual([expect.stringMatching(`${loop.address} leads back`)])
    expect(await ask(resolver, query('a.example'))).toMatchObject({ data: ['192.0.2.1'] })
    expect(resolver.upstreams()).toMatchObject([{ loops: true }, { loops: false }])
    await using alone = forwarder([loop])
    expect((await ask(alone, query('b.example'))).data).toEqual(['192.0.2.1'])
  })
})

test('an invalid upstream or domain is refused at once', () => {
  expect(() => forwarder([], { zones: [{ domain: 'a..b', upstreams: [] }] })).toThrow(
    /a\.\.b: it is not a valid domain/,
  )
  expect(() => forwarder([], { zones: [{ domain: 'a', upstreams: ['b'] }] })).toThrow(/use upstream b/)
})
