import { expect, test } from 'vitest'
import { messages } from '../../../src/netlink/index.ts'
import type { FilterSpec, SfqSettings } from '../../../src/rtnl/index.ts'
import type { Operation } from '../../../src/rtnl/operation.ts'
import { addFilter, filterOf } from '../../../src/rtnl/traffic/filter.ts'
import { settingsOf } from '../../../src/rtnl/traffic/options-read.ts'
import { QdiscChanges } from '../../../src/rtnl/traffic/qdiscs.ts'
import { type TrafficMessage, trafficMessage } from '../../../src/rtnl/wire/index.ts'
import { encode, goldenTests, messagesOf, names, roundTrips, type Said } from './golden.ts'

const qdiscs = new QdiscChanges((make: () => Operation) => make())
const link = 'a0'
const place = { link, parent: 'ffff:', priority: 10 } as const
const fq = {
  ...{ limit: 1000, flowLimit: 50, quantum: 3000, initialQuantum: 15_000, maxRate: 8e6, buckets: 1024 },
  pacing: false,
}
const map = [1, 2, 3, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]

const filters: Record<string, FilterSpec> = {
  'flower-tcp': {
    ...{ ...place, protocol: 'ip', from: '10.0.0.0/8', to: '192.168.1.1/32' },
    ...{ match: { ipProtocol: 6, destinationPort: 443 }, verdict: 'drop' },
  },
  'flower-udp-6': { ...place, to: 'fd00::/64', match: { ipProtocol: 17, sourcePort: 53 }, classId: '1:10' },
  'flower-mac': {
    ...{ ...place, mirror: 'a0' },
    match: { destinationMac: '02:00:00:00:00:01', sourceMac: '02:00:00:00:00:02' },
  },
  'flower-icmp': {
    ...{ ...place, protocol: 'ip', verdict: 'pass' },
    match: { ipProtocol: 1, icmpType: 8, icmpCode: 0, ttl: 64, tos: 4 },
  },
  'flower-tunnel': {
    ...{ ...place, protocol: 'ip', verdict: 'drop' },
    match: {
      tunnel: {
        ...{ id: 42, from: '10.1.0.0/16', to: '10.2.0.1/32', destinationPort: 4789, tos: 4, ttl: 64 },
      },
    },
  },
  'flower-tunnel-6': {
    ...{ ...place, verdict: 'pass' },
    match: { tunnel: { id: 7, from: 'fd00::/64', to: 'fd00::1/128', destinationPort: 5 } },
  },
  'flower-vlan': {
    ...{ ...place, protocol: '802.1Q', verdict: 'drop' },
    match: { vlan: 5, vlanPriority: 3, vlanEtherType: 0x800 },
  },
  'police-u32': { ...place, police: { rate: 8e6, burst: 20_000, exceed: 'drop', conform: 'pipe' } },
}

const said: Said[] = [
  ['fq-add', qdiscs.add({ link, kind: 'fq', ...fq })],
  ['sfq-add', qdiscs.add({ link, kind: 'sfq', perturb: 10, quantum: 1514, limit: 100, divisor: 1024 })],
  [
    'sfq-red',
    qdiscs.add({
      ...{ link, kind: 'sfq', limit: 3000, headDrop: true },
      red: { limit: 100_000, min: 8000, max: 60_000, probability: 0.2, ecn: true },
    }),
  ],
  ['sfq-red-plain', qdiscs.add({ link, kind: 'sfq', red: { limit: 100_000, hardDrop: true } })],
  ...Object.entries(filters)
    .filter(([vector]) => vector !== 'police-u32')
    .map(([vector, spec]): Said => [vector, addFilter(spec)]),
]
goldenTests(said)
roundTrips('police-u32')

test('police-u32: all but the table of times, which tc rounds to microseconds, is as tc sends it', () => {
  const theirs = messagesOf('police-u32')[0]!.value as TrafficMessage
  const [ours] = addFilter(filters['police-u32']!).requests(names)
  const [message] = messages(encode(ours!.type, 0, out => ours!.body.write(out, ours!.value)))
  const own = trafficMessage.read(message!.body)
  const tables = [own, theirs].map(({ attributes }) => {
    const police = attributes.u32!.actions![0]!.police!
    const table = new Uint32Array(Uint8Array.from(police.rateTable!).buffer)
    delete police.rateTable
    return table
  })
  expect(own).toEqual(theirs)
  const [mine, tcs] = tables as [Uint32Array, Uint32Array]
  expect(mine.every((ticks, at) => ticks >= tcs[at]! && ticks - tcs[at]! <= 16)).toBe(true)
})

test.each([
  ['prio-add', { bands: 4, map }],
  ['prio-plain', {}],
] as const)('%s: the bands are those of tc, which adds an empty attribute', (vector, settings) => {
  const [theirs] = messagesOf(vector)
  const [ours] = qdiscs.add({ link, kind: 'prio', handle: '1:', ...settings }).requests(names)
  const [message] = messages(encode(ours!.type, 0, out => ours!.body.write(out, ours!.value)))
  expect(trafficMessage.read(message!.body)).toEqual(theirs!.value)
})

const attributesOf = (vector: string) => messagesOf(vector)[0]!.value as TrafficMessage

test('listed qdiscs have the settings that they were added with', () => {
  expect(settingsOf(attributesOf('fq-add').attributes)).toEqual({ kind: 'fq', ...fq })
  expect(settingsOf(attributesOf('prio-add').attributes)).toEqual({ kind: 'prio', bands: 4, map })
  expect(settingsOf(attributesOf('sfq-add').attributes)).toMatchObject({
    kind: 'sfq',
    perturb: 10,
    quantum: 1514,
  })
})

test('a listed sfq has its early detection, which can be added again', () => {
  const { attributes } = attributesOf('sfq-red')
  const listed = settingsOf(attributes) as SfqSettings
  const red = { limit: 100_000, min: 8000, max: 60_000, probability: 0.2, ecn: true, hardDrop: false }
  expect(listed).toMatchObject({ kind: 'sfq', headDrop: true, red })
  const [again] = qdiscs.add({ link, ...listed }).requests(names)
  expect((again!.value as TrafficMessage).attributes.sfq?.red).toEqual(attributes.sfq?.red)
  expect(settingsOf(attributesOf('sfq-add').attributes)).not.toHaveProperty('red')
  const wrong = { limit: 100, min: 80, max: 60 }
  expect(() => qdiscs.add({ link, kind: 'sfq', red: wrong })).toThrow('red: needs min < max ≤ limit')
})

test.each(Object.entries(filters))('%s: a listed filter is what was added', (vector, spec) => {
  const { link: _, parent: __, ...wanted } = spec
  const listed = filterOf({ ...attributesOf(vector), handle: 1 })
  expect(listed).toMatchObject({ ...wanted, ...('mirror' in wanted && { mirror: 7 }) })
})

test('settings that have no meaning are refused before the kernel sees them', () => {
  const port = { ...place, match: { destinationPort: 443 } }
  expect(() => addFilter(port)).toThrow('ports need ipProtocol 6 (TCP) or 17 (UDP)')
  expect(() => qdiscs.add({ link, kind: 'fq', buckets: 1000 })).toThrow('buckets: 1000 is not a power of 2')
  expect(() => qdiscs.add({ link, kind: 'prio', bands: 2 })).toThrow('each from 0 to 1')
})
