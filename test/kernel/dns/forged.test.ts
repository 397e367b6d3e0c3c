import { expect } from 'vitest'
import { describeAnswer, lookUp, openDns } from '../../../src/dns/index.ts'
import { forgeries } from '../../support/dns-forgeries.ts'
import { type Asked, answerTo, FakeUpstream } from '../../support/dns-upstream.ts'
import { test } from '../../support/leaks.ts'

/** Forged answers a second, and for how long, before the true one: all from the address that was asked. */
const [rate, beforeMs] = [1000, 300]

/** Sends what is due by now each time it comes round; resolves with how many that were in the end. */
async function forge(asked: Asked): Promise<number> {
  const began = performance.now()
  let sent = 0
  for (let ms = 0; ms < beforeMs; ms = performance.now() - began) {
    for (; sent < (ms * rate) / 1000; sent++) asked.reply(forgeries[sent % forgeries.length]![1](asked))
    await new Promise(resolve => setTimeout(resolve, 1))
  }
  return sent
}

test('a thousand forged answers a second for 300 ms: the true one wins, and stays', async () => {
  let sent = 0
  const first = async (asked: Asked) => {
    sent += await forge(asked)
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
  expect(sent).toBeGreaterThan((beforeMs * rate) / 2000)
  expect(dns.snapshot().upstreams).toMatchObject([{ queries: 1, wrong: sent }])
})
