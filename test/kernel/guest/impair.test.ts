import { expect } from 'vitest'
import { impairGuest } from '../../../src/guest/impair.ts'
import { GuestKernel } from '../../../src/guest/kernel.ts'
import type { Route } from '../../../src/rtnl/index.ts'
import { test as plain } from '../../support/leaks.ts'
import { markDescendants } from '../../support/processes.ts'
import { RealGuest } from '../../support/real-guest.ts'

interface Linked {
  readonly channel: RealGuest['channel']
  readonly route: Route
  readonly state: () => Promise<object>
}

/** A real xcluster-guest in a network namespace of its own, with one interface. */
const test = plain.extend<{ guest: Linked }>({
  guest: async ({ census: _ }, use) => {
    markDescendants()
    await using guest = new RealGuest({ apart: true })
    await using kernel = new GuestKernel(guest.channel)
    const route = kernel.route()
    await route.links.add({ name: 'eth1', kind: 'veth', peer: { name: 'other' }, up: true })
    const state = async () => ({
      links: (await route.links.list()).map(({ name }) => name).sort(),
      qdiscs: (await route.qdiscs.list({ link: 'eth1' })).map(({ kind, parent }) => `${kind} ${parent}`),
    })
    await use({ channel: guest.channel, route, state })
  },
})

const settings = { delay: 20_000, limit: 1000 }

test.for(['ingress', 'clsact'] as const)(
  'a guest that filters what comes in, with %s, keeps that, and is told what is in the way',
  async (kind, { guest: { route, state, channel } }) => {
    await route.qdiscs.add({ link: 'eth1', kind })
    const before = await state()
    const asked = { dev: 'eth1', direction: 'received', settings } as const
    const refusal = await impairGuest(channel, asked).catch((failure: Error) => failure)
    expect(refusal).toMatchObject({ code: 'QDISC_TAKEN' })
    expect(String(refusal)).toContain(`the queueing discipline ${kind} ffff:`)
    await impairGuest(channel, { ...asked, settings: undefined })
    expect(await state()).toEqual(before)
  },
)

test('a guest that shapes what it sends keeps that, and is told what is in the way', async ({
  guest: { route, state, channel },
}) => {
  await route.qdiscs.add({ link: 'eth1', kind: 'tbf', rate: 1e6, burst: 5000, limit: 10_000, handle: '1:' })
  const before = await state()
  const asked = { dev: 'eth1', direction: 'sent', settings } as const
  const refusal = await impairGuest(channel, asked).catch((failure: Error) => failure)
  expect(refusal).toMatchObject({ code: 'QDISC_TAKEN' })
  expect(String(refusal)).toContain('the queueing discipline tbf 1:')
  await impairGuest(channel, { ...asked, settings: undefined })
  expect(await state()).toEqual(before)
})

test('a kernel without a part of it says which, and nothing of an attempt is left', async ({
  guest: { state, channel },
  skip,
}) => {
  const before = await state()
  const failure = await impairGuest(channel, { dev: 'eth1', direction: 'received', settings }).catch(
    (reason: Error) => reason,
  )
  if (!failure) {
    await impairGuest(channel, { dev: 'eth1', direction: 'received', settings: undefined })
    expect(await state()).toEqual(before)
    return skip('this kernel has all of it')
  }
  expect(String(failure)).toMatch(
    /CONFIG_(IFB|NET_SCH_NETEM|NET_SCH_INGRESS|NET_CLS_MATCHALL|NET_ACT_MIRRED)/,
  )
  expect(await state()).toEqual(before)
})
