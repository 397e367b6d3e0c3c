import { expect } from 'vitest'
import { Scope } from '../../../src/base/index.ts'
import { describeAnswer, lookUp, openDns } from '../../../src/dns/index.ts'
import { address, answerTo, type Behaviour, FakeUpstream } from '../../support/dns-upstream.ts'
import { test } from '../../support/leaks.ts'

/** A forwarder with a good server for all names, and one for `bad.example` that behaves as it is told. */
async function lab(scope: Scope, behave: Behaviour) {
  const good = scope.add(await FakeUpstream.open())
  const bad = scope.add(await FakeUpstream.open(behave))
  const zones = [{ domain: 'bad.example', upstreams: [bad.address] }]
  const options = { listen: ['127.0.0.1:0'], upstreams: [good.address], loopCheck: false }
  const dns = scope.add(await openDns({ ...options, zones }))
  const ask = async (name: string) => {
    const bytes = await lookUp({ name, server: `127.0.0.1:${dns.port}`, timeoutMs: 10_000 })
    const { rcode, records } = describeAnswer(bytes)!
    return [rcode, ...records.filter(({ section }) => section === 'answer').map(({ data }) => data)]
  }
  return { dns, good, bad, ask, zone: () => dns.snapshot().upstreams.find(({ zone }) => zone !== '.')! }
}

const right = ['NOERROR', '192.0.2.1']

/** An answer over UDP that makes the forwarder ask over TCP. */
const overTcp =
  (behave: Behaviour): Behaviour =>
  asked => {
    if (asked.transport === 'udp') asked.reply(answerTo(asked, { flags: 0x200 }))
    else behave(asked)
  }

test('a server of a zone that floods with answers to nothing is counted, and its true answer is taken', async () => {
  await using scope = new Scope()
  const { ask, zone } = await lab(scope, asked => {
    for (let i = 1; i <= 200; i++) {
      const forged = answerTo(asked, { answers: [address(asked.name, '203.0.113.66')] })
      forged.writeUInt16BE((asked.packet.id + i) & 0xffff, 0)
      asked.reply(forged)
    }
    asked.reply(answerTo(asked))
  })
  expect(await ask('www.bad.example')).toEqual(right)
  expect(await ask('www.good.example')).toEqual(right)
  expect(zone().wrong).toBeGreaterThan(0)
})

test('a server of a zone that closes each connection without an answer is SERVFAIL, and others answer', async () => {
  await using scope = new Scope()
  const { ask, bad } = await lab(
    scope,
    overTcp(asked => asked.hangUp()),
  )
  expect(await ask('www.bad.example')).toEqual(['SERVFAIL'])
  expect(await ask('www.good.example')).toEqual(right)
  expect(bad.connections).toBeLessThanOrEqual(9)
})

test.for([
  ['of a record that reaches beyond its message', 0xff],
  ['of a record that is shorter than an address', 1],
] as const)('a server of a zone that lies about the length %s gives no address', async ([, length]) => {
  await using scope = new Scope()
  const { ask } = await lab(scope, asked => {
    const answer = answerTo(asked)
    // The last four bytes are the address, and before them is its length.
    answer.writeUInt16BE(length, answer.length - 6)
    asked.reply(answer)
  })
  expect((await ask('www.bad.example')).slice(1)).not.toContain('192.0.2.1')
  expect(await ask('www.good.example')).toEqual(right)
})

test('a server of a zone whose TCP answer ends before its length says so is SERVFAIL', async () => {
  await using scope = new Scope()
  const { ask } = await lab(
    scope,
    overTcp(asked => {
      const answer = answerTo(asked)
      // Behind the prefix of this message are another, which promises more, and the end.
      asked.reply(Buffer.concat([Buffer.of(0xff, 0xff), answer]).subarray(0, 14))
      asked.hangUp()
    }),
  )
  expect(await ask('www.bad.example')).toEqual(['SERVFAIL'])
  expect(await ask('www.good.example')).toEqual(right)
})

test('what a server of a zone says of names in other zones is not believed', async () => {
  await using scope = new Scope()
  const { ask, good } = await lab(scope, asked => {
    const forged = address('www.good.example', '203.0.113.66')
    const alias = { type: 'CNAME', name: asked.name, ttl: 300, data: 'www.good.example' } as const
    if (asked.name.startsWith('alias')) asked.reply(answerTo(asked, { answers: [alias, forged] }))
    else asked.reply(answerTo(asked, { answers: [address(asked.name)], additionals: [forged] }))
  })
  await ask('alias.bad.example')
  expect(await ask('www.bad.example')).toEqual(right)
  expect(await ask('www.good.example')).toEqual(right)
  expect(good.asked.map(({ name }) => name)).toEqual(['www.good.example'])
})

test('an answer of a zone to another question than the one it was asked is waited past', async () => {
  await using scope = new Scope()
  const { ask } = await lab(scope, asked => {
    const other = {
      ...asked,
      packet: { ...asked.packet, questions: [{ type: 'A', name: 'www.good.example' }] },
    }
    asked.reply(answerTo(other as typeof asked, { answers: [address('www.good.example', '203.0.113.66')] }))
    asked.reply(answerTo(asked))
  })
  expect(await ask('www.bad.example')).toEqual(right)
  expect(await ask('www.good.example')).toEqual(right)
})
