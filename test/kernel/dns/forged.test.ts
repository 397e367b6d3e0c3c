import { expect } from 'vitest'
import { describeAnswer, lookUp, openDns } from '../../../src/dns/index.ts'
import { forgeries } from '../../support/dns-forgeries.ts'
import { type Asked, answerTo, FakeUpstream } from '../../support/dns-upstream.ts'
import { test } from '../../support/leaks.ts'

/** Forged answers before the true one, one a millisecond, all from the address that was queried. */
const forged = 300

/** Sends the answers that are due at each turn of the event loop, until all are sent. */
async function forge(asked: Asked): Promise<void> {
  const began = performance.now()
  for (let sent = 0; sent < forged; ) {
    await new Promise(resolve => setTimeout(resolve, 1))
    const due = Math.min(forged, performance.now() - began)
    for (; sent < due; sent++) asked.reply(forgeries[sent % forgeries.length]![1](asked))
  }
}

test('the true answer wins and stays, though a thousand forged ones a second come for 300 ms before it', async () => {
  const first = async (asked: Asked) => {
    await forge(asked)
    asked.reply(answerTo(asked))
  }
  await using upstream = await FakeUpstream.open(asked => void first(asked))
  await using dns = await openDns({
    listen: ['127.0.0.1:0'],
    upstreams: [upstream.address],
    loopCheck: false,
  })
  const look = async () =>
    describeAnswer(await lookUp({ name: 'a.example', server: `127.0.0.1:${dns.port}` }))
  for (let time = 0; time < 2; time++)
    expect(await look()).toMatchObject({ rcode: 'NOERROR', records: [{ data: '192.0.2.1' }] })
  expect(upstream.asked).toHaveLength(1)
  expect(dns.snapshot().upstreams).toMatchObject([{ queries: 1, wrong: forged }])
})
