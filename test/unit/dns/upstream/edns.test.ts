import type { OptAnswer } from 'dns-packet'
import { describe, expect, test } from 'vitest'
import type { Resolver } from '../../../../src/dns/index.ts'
import { type Asked, answerTo, FakeUpstream, query } from '../../../support/dns-upstream.ts'
import { ManualClock } from '../../../support/manual-clock.ts'
import { ask, forwarder } from '../asker.ts'

const hasOpt = ({ packet }: Asked) => packet.additionals!.length > 0
const sizes = ({ asked }: FakeUpstream) => asked.map(each => (hasOpt(each) ? 1 : 0))

/** Answers queries without EDNS, and those with it by this Rcode. */
const refusing = (rcode: number) => (asked: Asked) =>
  asked.reply(answerTo(asked, hasOpt(asked) ? { rcode } : undefined))

/** A header alone with an Rcode. */
function bare({ bytes }: Asked, rcode: number): Buffer {
  const header = Buffer.from(bytes.subarray(0, 12)).fill(0, 4)
  header.set([0x81, 0x80 | rcode], 2)
  return header
}

const opt: OptAnswer = {
  type: 'OPT',
  name: '.',
  udpPayloadSize: 1232,
  flags: 0,
  extendedRcode: 0,
  ednsVersion: 0,
  flag_do: false,
  options: [],
}

/** Asks for one name after another; each has the address. */
async function askFor(resolver: Resolver, ...names: string[]): Promise<void> {
  for (const name of names)
    expect(await ask(resolver, query(`${name}.example`, { edns: 1232, dnssec: true }))).toMatchObject({
      data: ['192.0.2.1'],
    })
}

describe('EDNS of a query to an upstream', () => {
  test.each([1, 4])('that it refuses with rcode %i three times is omitted until a reload', async rcode => {
    await using upstream = await FakeUpstream.open(refusing(rcode))
    await using resolver = forwarder([upstream])
    await askFor(resolver, 'a', 'b', 'c', 'd')
    expect(sizes(upstream)).toEqual([1, 0, 1, 0, 1, 0, 0])
    await resolver.reload()
    await askFor(resolver, 'e')
    expect(sizes(upstream).slice(7)).toEqual([1, 0])
  })

  test('is sent again 15 minutes after the last refusal, with DO', async () => {
    const clock = new ManualClock()
    await using upstream = await FakeUpstream.open(refusing(1))
    await using resolver = forwarder([upstream], { clock })
    await askFor(resolver, 'a', 'b', 'c')
    upstream.behave = asked => asked.reply(answerTo(asked))
    clock.pass(899_999)
    await askFor(resolver, 'd')
    clock.pass(1)
    await askFor(resolver, 'e')
    expect(sizes(upstream).slice(6)).toEqual([0, 1])
    expect(upstream.asked.at(-1)!.packet.additionals).toMatchObject([{ type: 'OPT', flag_do: true }])
  })

  test('stays in use after two refusals with an OPT record in an answer between them and others', async () => {
    await using upstream = await FakeUpstream.open(refusing(1))
    await using resolver = forwarder([upstream])
    await askFor(resolver, 'a', 'b')
    const data = { type: 'A', name: 'c.example', ttl: 300, data: '192.0.2.1' } as const
    upstream.behave = asked => asked.reply(answerTo(asked, { answers: [data], additionals: [opt] }))
    await askFor(resolver, 'c')
    upstream.behave = refusing(1)
    await askFor(resolver, 'd', 'e')
    expect(sizes(upstream)).toEqual([1, 0, 1, 0, 1, 1, 0, 1, 0])
  })

  test('is omitted for one server, and kept for another', async () => {
    await using old = await FakeUpstream.open(refusing(1))
    await using other = await FakeUpstream.open()
    const zones = [{ domain: 'old.example', upstreams: [old.address] }]
    await using resolver = forwarder([other], { zones })
    await askFor(resolver, 'a.old', 'b.old', 'c.old', 'd.old', 'd')
    expect([sizes(old).at(-1), sizes(other)]).toEqual([0, [1]])
  })

  test('is omitted in the next try when the answer is a bare FORMERR', async () => {
    await using upstream = await FakeUpstream.open(asked =>
      asked.reply(hasOpt(asked) ? bare(asked, 1) : answerTo(asked)),
    )
    await using resolver = forwarder([upstream])
    await askFor(resolver, 'a')
  })

  test('stays in use when the upstream fails without it too', async () => {
    await using upstream = await FakeUpstream.open(asked => asked.reply(answerTo(asked, { rcode: 1 })))
    await using resolver = forwarder([upstream])
    for (const name of ['a', 'b', 'c', 'd'])
      expect(await ask(resolver, query(`${name}.example`))).toMatchObject({ rcode: 'FORMERR' })
    expect(sizes(upstream)).toEqual([1, 0, 1, 0, 1, 0, 1, 0])
  })
})

describe('a bare answer of an upstream', () => {
  test.each([
    [2, 'SERVFAIL'],
    [5, 'REFUSED'],
  ])('with rcode %i is a failure, over UDP and TCP, and does not concern EDNS', async (rcode, text) => {
    await using upstream = await FakeUpstream.open(asked => asked.reply(bare(asked, rcode)))
    await using resolver = forwarder([upstream])
    for (const name of ['a', 'b', 'c', 'd'])
      expect(await ask(resolver, query(`${name}.example`))).toMatchObject({ rcode: text, data: [] })
    expect(sizes(upstream)).toEqual([1, 1, 1, 1])
    upstream.behave = asked =>
      asked.reply(asked.transport === 'udp' ? answerTo(asked, { flags: 0x0200 }) : bare(asked, rcode))
    expect(await ask(resolver, query('e.example'))).toMatchObject({ rcode: text })
    expect(sizes(upstream).slice(4)).toEqual([1, 1])
  })

  test('with NXDOMAIN is never taken for the name not to exist', async () => {
    await using upstream = await FakeUpstream.open(asked => asked.reply(bare(asked, 3)))
    await using resolver = forwarder([upstream])
    expect(await ask(resolver, query('a.example'))).toMatchObject({ rcode: 'SERVFAIL' })
  })
})
