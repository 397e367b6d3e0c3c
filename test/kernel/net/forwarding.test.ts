import { describe, expect } from 'vitest'
import { forwardingRecord } from '../../../src/base/index.ts'
import { settleForwarding } from '../../../src/net/index.ts'
import { forward, restoreForwarding } from '../../../src/net/uplink/forwarding.ts'
import { bridge, openRoute } from '../../../src/rtnl/index.ts'
import { lockFile, readSysctl } from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { Outside } from '../../support/outside.ts'

/** All that the kernel has told by now has had its consequences. */
async function settled(): Promise<void> {
  for (let i = 0; i < 50; i++) await new Promise(setImmediate)
}

const isOn = (outside: Outside) => readSysctl(outside.host, 'net/ipv4/ip_forward') === '1'

/** A host that forwards for uplinks of these names: any link of such a name is one. */
async function forwarding(outside: Outside, ...uplinks: readonly string[]): Promise<void> {
  await using route = openRoute({ namespace: outside.host })
  await route.batch(({ links }) => {
    for (const name of uplinks) links.add(bridge({ name }))
  })
  await forward(outside.host, outside.records)
  expect(isOn(outside)).toBe(true)
}

async function remove(outside: Outside, uplink: string): Promise<void> {
  await using route = openRoute({ namespace: outside.host })
  await route.links.remove(uplink)
}

/** Puts the settings back when that may be; the time for it is told by a clock that stands still. */
function settling(outside: Outside) {
  const clock = new ManualClock()
  let restored: boolean | undefined
  const outcome = settleForwarding(outside.host, outside.records, { withinMs: 1000, clock }).then(done => {
    restored = done
    return done
  })
  return { clock, outcome, restored: () => restored }
}

describe('settings of the host', () => {
  test('are put back when the kernel tells that the last uplink has gone, without a look at the clock', async () => {
    await using outside = await new Outside().connect()
    await forwarding(outside, 'xcluster1', 'xcluster2')
    const { clock, outcome, restored } = settling(outside)
    await settled()
    await remove(outside, 'xcluster2')
    await settled()
    expect([restored(), isOn(outside)]).toEqual([undefined, true])
    await remove(outside, 'xcluster1')
    expect(await outcome).toBe(true)
    expect(isOn(outside)).toBe(false)
    expect([clock.now(), clock.waiting]).toEqual([0, 0])
  })

  test('stay while there is an uplink, which is not waited for longer than asked', async () => {
    await using outside = await new Outside().connect()
    await forwarding(outside, 'xcluster1')
    const { clock, outcome, restored } = settling(outside)
    await expect.poll(() => clock.waiting).toBe(1)
    clock.pass(999)
    await settled()
    expect(restored()).toBeUndefined()
    clock.pass(1)
    expect(await outcome).toBe(false)
    expect(isOn(outside)).toBe(true)
  })

  test('are put back at once where no uplink is left', async () => {
    await using outside = await new Outside().connect()
    await forwarding(outside, 'xcluster1')
    await remove(outside, 'xcluster1')
    const { clock, outcome } = settling(outside)
    expect(await outcome).toBe(true)
    expect([isOn(outside), clock.waiting]).toEqual([false, 0])
  })
})

describe('a record of settings that another process holds', () => {
  async function held(outside: Outside) {
    await forwarding(outside, 'xcluster1')
    await remove(outside, 'xcluster1')
    const lock = lockFile(forwardingRecord(outside.records, outside.host.inode))!
    const clock = new ManualClock()
    const restoring = restoreForwarding(outside.host, outside.records, clock)
    return { lock, clock, restoring }
  }

  test('is read when that process lets go of it', async () => {
    await using outside = await new Outside().connect()
    const { lock, clock, restoring } = await held(outside)
    expect(clock.waiting).toBe(1)
    clock.pass(5)
    await settled()
    expect([clock.waiting, isOn(outside)]).toEqual([1, true])
    await lock.close()
    clock.pass(5)
    expect(await restoring).toBe(true)
    expect([clock.waiting, isOn(outside)]).toEqual([0, false])
  })

  test('is given up after two seconds, by name', async () => {
    await using outside = await new Outside().connect()
    const { lock, clock, restoring } = await held(outside)
    const outcome = expect(restoring).rejects.toMatchObject({ code: 'FORWARDING_BUSY', target: lock.path })
    for (let ms = 0; ms < 2000; ms += 5) {
      await settled()
      clock.pass(5)
    }
    await outcome
    expect(clock.waiting).toBe(0)
    await lock.close()
  })
})
