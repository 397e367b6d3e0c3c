import { expect } from 'vitest'
import { systemClock } from '../../../src/base/index.ts'
import { GuestKernel, observe, updateSteps } from '../../../src/guest/index.ts'
import { kernelArgs } from '../../../src/guest/kernel-args.ts'
import { linkSteps } from '../../../src/guest/links.ts'
import { masqueradeStep } from '../../../src/guest/steps.ts'
import {
  type ClusterPlan,
  planCluster,
  resolveSettings,
  type SettingOptions,
  type SetupRule,
  topologyOf,
  Verification,
} from '../../../src/plan/index.ts'
import { runCommand } from '../../../src/stream/index.ts'
import { test } from '../../support/leaks.ts'
import { markDescendants } from '../../support/processes.ts'
import { RealGuest } from '../../support/real-guest.ts'

const planOf = (rule: Omit<SetupRule, 'of'>, options: SettingOptions = {}): ClusterPlan => {
  const topology = { ...topologyOf('xnet'), setup: [{ of: 201, ...rule }] }
  return planCluster(resolveSettings({ options: { nvm: 1, nrouters: 1, ...options, topology } }))
}
const router = ({ nodes }: ClusterPlan) => nodes.find(({ id }) => id === 201)!

const first = planOf({
  ...{ forwarding: true, masquerade: [1, 2], addresses: { 2: 'none' } },
  routes: [
    { to: 'default', via: [{ net: 0, node: 250 }] },
    { to: 7, via: [{ net: 1, node: 1 }], table: { ipv4: 300, ipv6: 301 } },
  ],
  rules: [{ net: 1, ipv4: 300, ipv6: 301 }],
})
const plans = [
  planOf({
    ...{ masquerade: [2], addresses: { 1: 5 } },
    routes: [
      {
        to: 7,
        via: [
          { net: 2, node: 1 },
          { net: 0, node: 1 },
        ],
      },
    ],
    rules: [
      { net: 2, ipv4: 400, ipv6: 400 },
      { net: 1, ipv4: 300, ipv6: 301 },
    ],
  }),
  planOf({ forwarding: true, masquerade: [1] }, { mtu1: 1400, mtu2: 1300 }),
  planOf({}),
  first,
]

test('a guest becomes each of several plans without a program, and has nothing of the one before', async () => {
  markDescendants()
  await using guest = new RealGuest({ apart: true })
  const { channel } = guest
  const devices = ['eth0', 'eth1', 'eth2'].map(
    dev => `ip link add ${dev} type veth peer name p${dev}; ip link set p${dev} up\n`,
  )
  await runCommand(channel.streams, devices.join(''), { clock: systemClock })
  const begin = [...linkSteps(router(first), kernelArgs('')), masqueradeStep(router(first).setup.masquerade)]
  await channel.apply(begin, 10_000)
  let before = first
  for (const after of plans) {
    await channel.apply(updateSteps(router(before), router(after)), 10_000)
    expect(await differences(channel, after)).toEqual([])
    await expectGone(channel, router(before), router(after))
    before = after
  }
})

async function differences(channel: RealGuest['channel'], plan: ClusterPlan): Promise<string[]> {
  const verification = new Verification(plan)
  const { sysctls, masquerades } = verification.expected(201)
  await using kernel = new GuestKernel(channel)
  const observed = await observe(kernel, { sysctls: Object.keys(sysctls), masquerades })
  const found = verification.compare(new Map([[201, observed]])).differences
  // No other node is there to answer.
  return found
    .filter(({ what }) => !what.startsWith('neighbour'))
    .map(({ what, is, should }) => `${what}: ${is}, ${should}`)
}

type Node = ClusterPlan['nodes'][number]

/** Addresses, routes, rules, sources and forwarding of the plan before are gone, unless this one has them. */
async function expectGone(channel: RealGuest['channel'], before: Node, { nets, setup }: Node): Promise<void> {
  await using kernel = new GuestKernel(channel)
  const sources = before.setup.masquerade.map(({ ipv4 }) => ({ outDev: 'eth0', source: ipv4 }))
  const { addresses, routes, rules, masquerades, sysctls } = await observe(kernel, {
    ...{ sysctls: ['net/ipv4/ip_forward', 'net/ipv6/conf/all/forwarding'], masquerades: sources },
  })
  const own = addresses
    .filter(({ family, dev }) => family === 4 && dev !== 'lo')
    .map(({ address }) => address)
  expect(own.sort()).toEqual(nets.flatMap(({ ipv4 }) => (ipv4 === undefined ? [] : [ipv4])).sort())
  const planned = routes.filter(
    ({ table, destination }) => table >= 300 || ['default', '192.168.7.0/24'].includes(destination),
  )
  expect(new Set(planned.map(({ family, table }) => `${family} ${table}`)).size).toBeLessThanOrEqual(
    2 * setup.routes.length,
  )
  expect(rules.filter(({ outDev }) => outDev !== undefined)).toHaveLength(2 * setup.rules.length)
  const kept = setup.masquerade.map(({ ipv4 }) => ipv4)
  expect(masquerades.map(({ source }) => source)).toEqual(
    sources.map(({ source }) => source).filter(source => kept.includes(source)),
  )
  expect(Object.values(sysctls)).toEqual(setup.forwarding ? ['1', '1'] : ['0', '0'])
}
