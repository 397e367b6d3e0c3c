import { expect, test } from 'vitest'
import { Connection, NLM_F_DUMP } from '../../../src/netlink/index.ts'
import * as rtnl from '../../../src/rtnl/index.ts'
import { FakeKernel } from '../../support/netlink-fake.ts'
import { type SamplesOf, takenWords, unsent } from './words.ts'

const link = 3
const mac = '00:00:00:01:00:01'

/** The settings of a link with words, by their places. */
const linkWords = {
  addrGenMode: { kind: 'dummy', addrGenMode: 'none' },
  'vxlan.dontFragment': { kind: 'vxlan', vxlan: { dontFragment: 'inherit' } },
  'macvlan.mode': { kind: 'macvlan', macvlan: { mode: 'passthru' } },
  'ipvlan.mode': { kind: 'ipvlan', ipvlan: { mode: 'l3s' } },
  'ipvlan.isolation': { kind: 'ipvlan', ipvlan: { isolation: 'vepa' } },
  'vlan.protocol': { kind: 'vlan', vlan: { id: 5, protocol: '802.1ad' } },
  'geneve.dontFragment': { kind: 'geneve', geneve: { dontFragment: 'inherit' } },
  'bond.mode': { kind: 'bond', bond: { mode: '802.3ad' } },
  'bond.transmitHashPolicy': { kind: 'bond', bond: { transmitHashPolicy: 'layer2' } },
  'bond.lacpRate': { kind: 'bond', bond: { lacpRate: 'fast' } },
  'bond.failOverMac': { kind: 'bond', bond: { failOverMac: 'follow' } },
  'bond.arpValidate': { kind: 'bond', bond: { arpValidate: 'backup' } },
  'bond.arpAllTargets': { kind: 'bond', bond: { arpAllTargets: 'any' } },
  'bond.primaryReselect': { kind: 'bond', bond: { primaryReselect: 'better' } },
  'bond.adSelect': { kind: 'bond', bond: { adSelect: 'count' } },
} as const

const encap = { type: 'seg6', mode: 'l2encap', segments: ['fd00::1'] } as const
const destination = 'fd00::/64'
const routeWords = {
  type: { destination, type: 'blackhole' },
  preference: { destination, dev: link, preference: 'high' },
  'locked.0': { destination, dev: link, mtu: 1400, locked: ['mtu'] },
  'encap.type': { destination, dev: link, encap },
  'encap.mode': { destination, dev: link, encap },
  'ways.0.encap.type': { destination, ways: [{ dev: link, encap }] },
  'ways.0.encap.mode': { destination, ways: [{ dev: link, encap }] },
} as const

const nextHopWords = {
  'encap.type': { id: 1, dev: link, encap },
  'encap.mode': { id: 1, dev: link, encap },
} as const
const neighbourWords = { state: { link, address: '10.0.0.1', mac, state: 'stale' } } as const
const fdbWords = { table: { link, mac, table: 'master' }, state: { link, mac, state: 'static' } } as const
const qdiscWords = { kind: { kind: 'fq_codel', link } } as const
const police = { rate: 8e6, burst: 3000 }
const filterWords = {
  kind: { link, parent: '1:', kind: 'matchall' },
  protocol: { link, parent: '1:', protocol: '802.1Q' },
  verdict: { link, parent: '1:', verdict: 'reclassify' },
  'police.exceed': { link, parent: '1:', police: { ...police, exceed: 'pipe' } },
  'police.conform': { link, parent: '1:', police: { ...police, conform: 'pipe' } },
} as const

type Placed<T> = { readonly [P in keyof T & string as `0.${P}`]: readonly [T[P]] }
/** The samples of calls that take one object. */
function only<const T extends object>(specs: T): Placed<T> {
  return Object.fromEntries(
    Object.entries(specs).map(([place, spec]) => [`0.${place}`, [spec]]),
  ) as unknown as Placed<T>
}

type Named<T> = { readonly [P in keyof T]: T[P] & { readonly name: string; readonly link: number } }
const named = Object.fromEntries(
  Object.entries(linkWords).map(([place, spec]) => [place, { name: 'x0', link, ...spec }]),
) as Named<typeof linkWords>
const { table } = fdbWords

/** For each call of a noun, and each place of its arguments where a word stands. The compiler asks for all of them. */
const samples: { readonly [Noun in keyof rtnl.Batch]: SamplesOf<rtnl.Route[Noun]> } = {
  links: { add: only(named), change: only(named) },
  addresses: {},
  routes: {
    add: only(routeWords),
    append: only(routeWords),
    change: only(routeWords),
    replace: only(routeWords),
    remove: only(routeWords),
    list: { '0.type': [{ type: 'blackhole' }] },
  },
  rules: {
    add: { '0.action': [{ family: 6, action: 'prohibit' }] },
    remove: { '0.action': [{ family: 6, action: 'prohibit' }] },
  },
  neighbours: { add: only(neighbourWords), change: only(neighbourWords), replace: only(neighbourWords) },
  fdb: { add: only(fdbWords), append: only(fdbWords), replace: only(fdbWords), remove: only({ table }) },
  qdiscs: { add: only(qdiscWords), change: only(qdiscWords), replace: only(qdiscWords) },
  classes: {},
  filters: {
    add: only(filterWords),
    remove: { '0.protocol': [{ link, parent: '1:', protocol: '802.1Q', priority: 3 }] },
  },
  namespaces: {},
  vlans: {},
  nextHops: { add: only(nextHopWords), replace: only(nextHopWords) },
}

async function call(noun: string, verb: string, args: readonly unknown[]): Promise<void> {
  const kernel = new FakeKernel()
  kernel.handler = request =>
    (request.flags & NLM_F_DUMP) === NLM_F_DUMP
      ? kernel.dump(request, { type: 0, body: { write: () => {} }, values: [] })
      : kernel.ack({ ...request, flags: request.flags | 4 })
  await using route = new rtnl.Route(new Connection(kernel))
  const part = route[noun as keyof rtnl.Batch] as unknown as Record<string, (...args: unknown[]) => unknown>
  await unsent(
    () => part[verb]!(...args),
    () => kernel.sends.length,
  )
}

test('words that rtnl does not know are refused before anything is sent', async () => {
  const failures: string[] = []
  for (const [noun, verbs] of Object.entries(samples))
    for (const [verb, places] of Object.entries(verbs)) {
      const tried = { name: `${noun}.${verb}`, call: (args: readonly unknown[]) => call(noun, verb, args) }
      failures.push(...(await takenWords(tried, places)))
    }
  expect(failures).toEqual([])
})

const messages = (build: (batch: rtnl.Batch) => void) => () => rtnl.placedMessages(build)

test('settings of another kind of link are refused, not left out', () => {
  const tunnel = { remote: '10.0.0.1' }
  expect(messages(({ links }) => links.add({ name: 'x', kind: 'dummy', tunnel }))).toThrow(
    "create link: kind is 'dummy', and tunnel has settings of gre, gretap, ",
  )
  expect(messages(({ links }) => links.change({ name: 'x', tunnel }))).toThrow(
    'change link: kind is absent, and tunnel needs it',
  )
  expect(messages(({ links }) => links.change({ name: 'x', bridge: {}, vrf: { table: 5 } }))).toThrow(
    'change link: bridge and vrf are settings of different kinds of links',
  )
})

test('fields of another kind of filter are refused: without them it would match more packets', () => {
  const place = { link, parent: '1:' }
  expect(messages(({ filters }) => filters.add({ ...place, kind: 'matchall', from: '10.0.0.0/8' }))).toThrow(
    "add filter: from is given, and filters of kind 'matchall' do not have it",
  )
  expect(messages(({ filters }) => filters.add({ ...place, match: { tos: 4 }, keys: [] }))).toThrow(
    "add filter: keys is given, and filters of kind 'flower' do not have it",
  )
})
