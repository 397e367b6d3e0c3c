import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { FakeUpstream, query } from '../../../support/dns-upstream.ts'
import { ManualClock } from '../../../support/manual-clock.ts'
import { ask, askNow, forwarder } from '../asker.ts'

const alias = { hosts: [], records: [{ name: 'a.example', type: 'CNAME', data: 'b.example' }] }
const withDnssec = query('a.example', { edns: 1232, dnssec: true })

test('a name that has become an alias has no stale answer, not even one for clients with other flags', async () => {
  const clock = new ManualClock()
  await using upstream = await FakeUpstream.open()
  await using resolver = forwarder([upstream], { clock })
  await ask(resolver, query('a.example'))
  await upstream.next()
  clock.pass(301_000)
  const { behave } = upstream
  upstream.behave = () => {}
  const stale = ask(resolver, query('a.example'))
  await upstream.next()
  clock.pass(400)
  clock.pass(1500)
  expect(await stale).toMatchObject({ data: ['192.0.2.1'], answers: [{ ttl: 30 }] })
  expect(askNow(resolver, withDnssec)).toMatchObject({ data: ['192.0.2.1'], answers: [{ ttl: 30 }] })
  upstream.behave = behave
  resolver.setHosts(alias)
  expect(await ask(resolver, withDnssec)).toMatchObject({ data: ['b.example', '192.0.2.1'] })
})

test('an alias gives what the cache has of its name, with TTLs that count down in suspend', async () => {
  const clock = new ManualClock()
  let suspended = 0
  await using upstream = await FakeUpstream.open()
  await using resolver = forwarder([upstream], { clock, uptime: () => clock.now() / 1000 + suspended })
  resolver.setHosts(alias)
  await ask(resolver, query('b.example'))
  suspended = 200
  clock.pass(10_000)
  expect(await ask(resolver, query('a.example'))).toMatchObject({
    answers: [
      { type: 'CNAME', ttl: 5 },
      { type: 'A', ttl: 90 },
    ],
  })
  expect(upstream.asked).toHaveLength(1)
})

test('aliases lead to names of a hosts file, and a filter leaves out the addresses of those', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tailored-'))
  try {
    const hostsFile = join(folder, 'hosts')
    writeFileSync(hostsFile, '192.0.2.7 b.example\n2001:db8::7 b.example\n')
    await using resolver = forwarder([], { hostsFile, filter: 'aaaa' })
    resolver.setHosts(alias)
    const answer = (type: string) => ask(resolver, query('a.example', { type }))
    expect(await answer('A')).toMatchObject({ rcode: 'NOERROR', data: ['b.example', '192.0.2.7'] })
    expect(await answer('AAAA')).toMatchObject({ rcode: 'NOERROR', data: ['b.example'] })
  } finally {
    rmSync(folder, { recursive: true })
  }
})
