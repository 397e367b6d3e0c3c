import { describe, expect, test } from 'vitest'
import { zoneOf } from '../../../../src/dns/forwarder/zone-load.ts'
import { later } from '../../../../src/dns/index.ts'
import { nameBytes, nameKey, nameText } from '../../../../src/dns/wire/name.ts'
import { type Asked, answerTo, FakeUpstream, query } from '../../../support/dns-upstream.ts'
import { ManualClock } from '../../../support/manual-clock.ts'
import { waitFor } from '../../../support/wait.ts'
import { ask, askNow, extendedErrors, forwarder, type Read } from '../asker.ts'

/** An upstream that never answers for names below `dead.test`, as one whose own servers are silent. */
const halfDead = (asked: Asked) => {
  if (!asked.name.endsWith('dead.test')) asked.reply(answerTo(asked))
}

describe('names of a DNS zone that is dead', () => {
  test('300 new ones a second for 6 s cost none of 60 other new names its answer', async () => {
    const clock = new ManualClock()
    await using upstream = await FakeUpstream.open(halfDead)
    await using resolver = forwarder([upstream], { clock })
    const dead: Promise<unknown>[] = []
    const others: string[] = []
    for (let tenth = 0; tenth < 60; tenth++) {
      for (let i = 0; i < 30; i++) dead.push(ask(resolver, query(`n${tenth}-${i}.dead.test`)))
      const other = await ask(resolver, query(`a${tenth}.site${tenth}.example`))
      others.push(`${other.rcode} ${other.data}`)
      clock.pass(100)
    }
    expect(others).toEqual(Array.from({ length: 60 }, () => 'NOERROR 192.0.2.1'))
    clock.pass(400)
    clock.pass(1500)
    // All have been answered by the time for which clients wait.
    expect(await Promise.all(dead)).toEqual(
      Array.from({ length: 1800 }, () => expect.objectContaining({ rcode: 'SERVFAIL' })),
    )
    const asked = new Set(upstream.asked.map(({ name }) => name)).size
    expect(asked - 60).toBeLessThan(900)
  }, 60_000)

  test('come in thousands within an instant, and make room for others that are new', async () => {
    const clock = new ManualClock()
    await using upstream = await FakeUpstream.open(halfDead)
    await using resolver = forwarder([upstream], { clock, maxUnderWay: 100 })
    const dead = Array.from({ length: 100 }, (_, i) => ask(resolver, query(`n${i}.dead.test`)))
    clock.pass(400)
    for (let i = 0; i < 40; i++)
      expect(await ask(resolver, query(`a.site${i}.example`))).toMatchObject({ data: ['192.0.2.1'] })
    clock.pass(1500)
    expect(await Promise.all(dead)).toHaveLength(100)
  })

  test('are refused at once, with their reason, when some have waited in vain', async () => {
    const clock = new ManualClock()
    await using upstream = await FakeUpstream.open(halfDead)
    await using resolver = forwarder([upstream], { clock, maxUnderWay: 16 })
    const dead = [1, 2].map(i => ask(resolver, query(`n${i}.dead.test`)))
    clock.pass(400)
    const refused = await ask(resolver, query('n3.dead.test', { edns: 1232 }))
    expect(refused).toMatchObject({ rcode: 'SERVFAIL' })
    expect(extendedErrors(refused)).toEqual([22])
    clock.pass(1500)
    await Promise.all(dead)
    expect(askNow(resolver, query('n3.dead.test'))).toBe(later)
  })

  test('are remembered as failing: for 1 s, and twice as long each time, up to 30 s', async () => {
    const clock = new ManualClock()
    await using upstream = await FakeUpstream.open(halfDead)
    await using resolver = forwarder([upstream], { clock })
    for (const seconds of [1, 2, 4, 8, 16, 30, 30]) {
      const answer = ask(resolver, query('n.dead.test'))
      clock.pass(400)
      clock.pass(1500)
      expect(await answer).toMatchObject({ rcode: 'SERVFAIL' })
      clock.pass(seconds * 1000 - 1)
      expect(askNow(resolver, query('n.dead.test'))).toMatchObject({ rcode: 'SERVFAIL' })
      clock.pass(1)
      expect(askNow(resolver, query('n.dead.test'))).toBe(later)
    }
  })

  test('that outlive their clients are given up when there are many, the oldest first', async () => {
    const clock = new ManualClock()
    await using upstream = await FakeUpstream.open(() => {})
    await using resolver = forwarder([upstream], { clock, maxUnderWay: 4 })
    const answers = [ask(resolver, query('a.one.test')), ask(resolver, query('a.two.test'))]
    const first = [await upstream.next(), await upstream.next()]
    clock.pass(400)
    clock.pass(1500)
    await Promise.all(answers)
    for (const asked of first) asked.reply(answerTo(asked))
    // One of them may be late: the other's socket is closed.
    const rcodeOf = (name: string) => (askNow(resolver, query(name)) as Read).rcode
    expect(await waitFor(() => rcodeOf('a.two.test') === 'NOERROR')).toBe(true)
    expect(rcodeOf('a.one.test')).toBe('SERVFAIL')
  })
})

test.each([
  ['www.example.org', 'example.org.'],
  ['a.b.c.example.org', 'example.org.'],
  ['example.org', 'org.'],
  ['org', 'org.'],
  ['.', '.'],
  ['4.3.2.1.in-addr.arpa', '2.1.in-addr.arpa.'],
  [`${'1.'.repeat(24)}8.b.d.0.1.0.0.2.ip6.arpa`, '8.b.d.0.1.0.0.2.ip6.arpa.'],
])('the name %s counts for the zone %s', (name, zone) => {
  expect(nameText(Buffer.from(zoneOf(nameKey(nameBytes(name)!)), 'latin1'))).toBe(zone)
})
