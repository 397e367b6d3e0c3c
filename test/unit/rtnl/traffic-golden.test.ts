import { expect, test } from 'vitest'
import { Writer } from '../../../src/base/index.ts'
import type { Operation } from '../../../src/rtnl/operation.ts'
import { ClassChanges } from '../../../src/rtnl/traffic/classes.ts'
import { addFilter, filterOf, removeFilters } from '../../../src/rtnl/traffic/filter.ts'
import { classOf, settingsOf, statisticsOf } from '../../../src/rtnl/traffic/options-read.ts'
import { QdiscChanges } from '../../../src/rtnl/traffic/qdiscs.ts'
import { type TrafficMessage, trafficMessage } from '../../../src/rtnl/wire/index.ts'
import { answers, goldenTests, messagesOf, names, roundTrips, type Said } from './golden.ts'

const qdiscs = new QdiscChanges((make: () => Operation) => make())
const classes = new ClassChanges((make: () => Operation) => make())
const link = 'a0'
const all = { protocol: 'all', priority: 10 } as const

const everyKind = {
  ...{ limit: 500, delay: 10_000, loss: 0.01, lossCorrelation: 0.1, duplicate: 0.02, corrupt: 0.001 },
  ...{ reorder: 0.25, reorderCorrelation: 0.5, gap: 5, rate: 1_000_000, overhead: 14, ecn: true },
}
const fqCodel = { limit: 1000, flows: 64, target: 5000, interval: 100_000, quantum: 1514, ecn: true }

goldenTests([
  ['htb-add', qdiscs.add({ link, kind: 'htb', handle: '1:', default: 0x10, rateToQuantum: 5 })],
  ['htb-class-del', classes.remove({ link, id: '1:10' })],
  [
    'netem-delay',
    qdiscs.add({
      link,
      kind: 'netem',
      handle: '10:',
      delay: 20_000,
      jitter: 2000,
      delayCorrelation: 0.25,
    }),
  ],
  ['netem-all', qdiscs.add({ link, kind: 'netem', parent: '1:10', ...everyKind })],
  ['ingress-add', qdiscs.add({ link, kind: 'ingress' })],
  ['clsact-add', qdiscs.add({ link, kind: 'clsact' })],
  ['fq-codel-add', qdiscs.add({ link, kind: 'fq_codel', ...fqCodel })],
  ['pfifo-add', qdiscs.add({ link, kind: 'pfifo', limit: 50 })],
  ['bfifo-add', qdiscs.add({ link, kind: 'bfifo', limit: 50_000 })],
  ['qdisc-del', qdiscs.remove({ link })],
  ['u32-redirect', addFilter({ link, parent: 'ffff:', ...all, redirect: 'ifb7' })],
  [
    'u32-class',
    addFilter({
      link,
      parent: '1:',
      priority: 5,
      from: '192.168.1.0/24',
      to: '10.0.0.1/32',
      classId: '1:10',
    }),
  ],
  ['u32-class-6', addFilter({ link, parent: '1:', priority: 6, to: 'fd00::c0a8:0/112', classId: '1:10' })],
  ['matchall-mirror', addFilter({ link, parent: 'ffff:', kind: 'matchall', ...all, mirror: 'ifb7' })],
  ['filter-del', removeFilters({ link, parent: 'ffff:', ...all })],
])
roundTrips('ingress-del', 'tbf-fast', 'htb-class-fast')
answers('qdisc-dump', 'class-dump', 'filter-dump', 'filter-dump-class')

/** tc also sends rate tables and their format, which the kernel has ignored since Linux 3.8. */
const shaped: Said[] = [
  ['tbf-add', qdiscs.add({ link, kind: 'tbf', handle: '1:', rate: 8e6, burst: 32_000, latency: 50_000 })],
  [
    'tbf-limit',
    qdiscs.replace({
      link,
      kind: 'tbf',
      rate: 1e6,
      burst: 5120,
      limit: 30_000,
      peakRate: 2e6,
      mtu: 1540,
    }),
  ],
  [
    'qdisc-change',
    qdiscs.change({ link, kind: 'tbf', handle: '1:', rate: 4e6, burst: 32_000, latency: 50_000 }),
  ],
  [
    'htb-class',
    classes.add({
      link,
      id: '1:10',
      rate: 5e6,
      ceil: 10e6,
      burst: 15_360,
      ceilBurst: 20_480,
      priority: 2,
      quantum: 3000,
    }),
  ],
  ['htb-class-plain', classes.add({ link, id: '1:20', rate: 5e6, burst: 1600, ceilBurst: 1600 })],
]
roundTrips(...shaped.map(([vector]) => vector))

function withoutTables(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (key, inside) =>
    /Table$|^cell(Log|Align)$/.test(key) ? undefined : inside,
  )
}

test.each(shaped)(
  "%s: the operation encodes to the tool's bytes without its rate tables",
  (vector, operation) => {
    const [theirs] = messagesOf(vector)
    const [ours] = operation.requests(names)
    expect((ours!.flags ?? 0) | 5).toBe(theirs!.flags)
    const { index, handle, parent, attributes } = theirs!.value as TrafficMessage
    const written = withoutTables(ours!.value)
    expect(written).toEqual(withoutTables({ index, handle, parent, attributes }))
    ours!.body.write(new Writer(), ours!.value)
  },
)

const valuesOf = (vector: string, type: number) =>
  messagesOf(vector)
    .filter(message => message.type === type)
    .map(({ value }) => value as TrafficMessage)

test('listed qdiscs are decoded', () => {
  const found = valuesOf('qdisc-dump', 36)
  expect(found.map(({ attributes }) => settingsOf(attributes)).filter(Boolean)).toEqual(
    expect.arrayContaining([
      { kind: 'htb', default: 0x10, rateToQuantum: 10 },
      { kind: 'pfifo', limit: 50 },
      { kind: 'ingress' },
      { kind: 'tbf', rate: 8e6, burst: 32_000, limit: 82_000 },
    ]),
  )
  const statistics = found[1]!.attributes.statistics
  expect(statisticsOf(statistics!)).toMatchObject({ bytes: 0, packets: 0, drops: 0, backlog: 0 })
})

test('listed classes and filters are decoded', () => {
  const [found] = valuesOf('class-dump', 40).map(classOf)
  expect(found).toMatchObject({ link: 7, id: '1:10', parent: 'root', rate: 5e6, ceil: 10e6, leaf: '20:' })
  const [redirecting] = valuesOf('filter-dump', 44).flatMap(value => filterOf(value) ?? [])
  expect(redirecting).toMatchObject({ kind: 'u32', ...all, parent: 'ffff:', redirect: 9 })
  const classing = valuesOf('filter-dump-class', 44).flatMap(value => filterOf(value) ?? [])
  const keys = [{ mask: 0xffffffff, value: 0x0a000001, offset: 16 }]
  expect(classing).toMatchObject([{ protocol: 'ip', priority: 5, classId: '1:10', keys }])
})

test('delays of more than 274 s, and between two ticks, are encoded beyond what tc can express', () => {
  const options = (delay: number) => {
    const [request] = qdiscs.add({ link, kind: 'netem', delay }).requests(names)
    const { netem } = (request!.value as TrafficMessage).attributes
    return { ticks: netem?.latency, nanoseconds: netem?.attributes.latency64 }
  }
  expect(options(20_000)).toEqual({ ticks: 312_500, nanoseconds: undefined })
  expect(options(1)).toEqual({ ticks: 16, nanoseconds: 1000n })
  expect(options(300e6)).toEqual({ ticks: 0xffffffff, nanoseconds: 300_000_000_000n })
})

test('qdisc settings that have no meaning are refused before the kernel sees them', () => {
  const usage = { code: 'QDISC_SETTING', kind: 'usage' }
  const wrong = (act: () => unknown) => expect(act).toThrow(expect.objectContaining(usage))
  wrong(() => qdiscs.add({ link, kind: 'netem', loss: 5 }))
  wrong(() => qdiscs.add({ link, kind: 'tbf', rate: 1e6, burst: 2000 }))
  wrong(() => qdiscs.add({ link, kind: 'tbf', rate: 0, burst: 2000, limit: 2000 }))
  wrong(() => qdiscs.add({ link, kind: 'tbf', rate: 1e6, burst: 2000, limit: 2000, peakRate: 2e6 }))
  wrong(() => qdiscs.remove({ link, parent: 'nowhere' }).requests(names))
  wrong(() => classes.add({ link, id: '1.10', rate: 1e6 }))
})

test('rates from 34 Gbit/s on are encoded in 64 bits, and read back', () => {
  const [request] = classes.add({ link, id: '1:20', rate: 40e9 }).requests(names)
  const value = request!.value as TrafficMessage
  const found = classOf({ ...value, info: 0 })
  expect(found).toMatchObject({ id: '1:20', rate: 40e9, ceil: 40e9 })
  expect(found!.burst).toBeGreaterThan(1600)
  const out = new Writer()
  trafficMessage.write(out, value)
  expect(out.length).toBeLessThan(150)
})
