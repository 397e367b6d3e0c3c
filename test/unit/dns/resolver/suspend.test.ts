import { uptime } from 'node:os'
import { expect, test } from 'vitest'
import { systemClock } from '../../../../src/base/index.ts'
import { BootClock } from '../../../../src/dns/forwarder/boot-clock.ts'
import { later } from '../../../../src/dns/index.ts'
import { FakeUpstream, query } from '../../../support/dns-upstream.ts'
import { ManualClock } from '../../../support/manual-clock.ts'
import { ask, askNow, forwarder, type Read } from '../asker.ts'

test('TTLs of cached DNS answers count down while the machine is suspended', async () => {
  const clock = new ManualClock()
  let suspended = 0
  await using upstream = await FakeUpstream.open()
  await using resolver = forwarder([upstream], { clock, uptime: () => clock.now() / 1000 + suspended })
  await ask(resolver, query('a.example'))
  const ttl = () => ((askNow(resolver, query('a.example')) as Read).answers![0] as { ttl: number }).ttl
  clock.pass(10_000)
  expect(ttl()).toBe(290)
  // The monotonic clock stands still meanwhile.
  suspended = 200
  clock.pass(1000)
  expect(ttl()).toBe(89)
  suspended = 290
  clock.pass(1000)
  expect(askNow(resolver, query('a.example'))).toBe(later)
})

test('rounded times since boot do not move the clock, and neither does a clock that goes back', () => {
  const clock = new ManualClock()
  let wrong = 0
  const boot = new BootClock(clock, () => clock.now() / 1000 + wrong)
  for (const error of [0.01, 0.4, -5, -0.01]) {
    wrong = error
    clock.pass(1000)
    expect(boot.now()).toBe(clock.now())
  }
})

test("the time since boot of this machine goes on as the program's clock does", async () => {
  const boot = new BootClock(systemClock, uptime)
  const before = boot.now() - systemClock.now()
  await new Promise(resolve => setTimeout(resolve, 1100))
  expect(Math.abs(boot.now() - systemClock.now() - before)).toBeLessThan(500)
})
