import {
  accept,
  addToSet,
  concat,
  counter,
  drop,
  inSet,
  jump,
  limit,
  map,
  match,
  meter,
  range,
  removeFromSet,
  type Statement,
  setMark,
  type TableRef,
  type Transaction,
  updateSet,
  verdictMap,
} from '../../../src/nft/index.ts'

const t: TableRef = { family: 'inet', name: 't' }

type Build = (transaction: Transaction) => void

const rule =
  (...statements: readonly Statement[]): Build =>
  ({ rules }) =>
    rules.add({ table: t, chain: 'c', statements })

const web =
  (...statements: readonly Statement[]): Build =>
  ({ rules }) =>
    rules.add({ table: t, chain: 'web', statements })

const { ip, ip6, tcp, udp, mark } = match
const source = concat(ip.saddr, tcp.dport)
const pair = ['ipv4_addr', 'inet_service'] as const

const clients = { name: 'clients', key: ip.saddr, size: 128 }
const over = limit({ rate: 10, per: 'second', over: true })

/** Commands about sets and what rules do with them. */
export const saidOfSets: Readonly<Record<string, Build>> = {
  'concat-set': rule(source(['10.0.0.1', 22], ['10.0.0.2', 80]), accept()),
  'concat-ranges': rule(source(['10.0.0.0/8', range(22, 25)], ['10.0.0.2', 80]), accept()),
  'concat-named': rule(source(inSet('pairs')), drop()),
  'concat-map': rule(
    verdictMap(concat(ip.daddr, tcp.dport), [
      [['10.0.0.1', 22], accept()],
      [['10.0.0.1', 80], jump('web')],
    ]),
  ),
  'concat-six': rule(concat(ip6.saddr, udp.sport, mark)(['fd00::1', 53, 7]), accept()),
  'marks-ranges': rule(mark(range(1, 5), 9), accept()),
  'names-ranges': rule(match.iifname('eth*', 'wlan0'), accept()),
  'dynamic-add': rule(addToSet({ set: 'seen', key: ip.saddr })),
  'dynamic-update': rule(
    updateSet({
      set: 'seen',
      key: ip.saddr,
      timeoutMs: 60_000,
      statements: [limit({ rate: 10, per: 'second' })],
    }),
  ),
  'dynamic-delete': rule(removeFromSet({ set: 'flows', key: source })),
  'dynamic-map': rule(addToSet({ set: 'ports', key: ip.saddr, value: tcp.dport })),
  meter: web(meter({ ...clients, statement: over }), drop()),
  'meter-concat': web(meter({ name: 'flows2', key: source, timeoutMs: 10_000, statement: counter() })),
  'map-mark': rule(setMark(map(tcp.dport, { set: 'byport' }))),
  'set-timeout': ({ sets }) =>
    sets.add({
      ...{ table: t, name: 's', type: 'ipv4_addr' },
      ...{ timeoutMs: 3_600_000, gcIntervalMs: 10_000, policy: 'memory', comment: 'a set' },
      elements: [
        { key: '10.0.0.1', timeoutMs: 30_000 },
        { key: '10.0.0.2', comment: 'mine' },
        { key: '10.0.0.3', timeoutMs: 86_400_000, expiresMs: 3_600_000 },
      ],
    }),
  'set-dynamic': ({ sets }) =>
    sets.add({ table: t, name: 's', type: pair, size: 65535, dynamic: true, timeouts: true }),
  'set-counter': ({ sets }) =>
    sets.add({
      ...{ table: t, name: 's', type: 'ipv4_addr', statements: [counter()] },
      elements: [{ key: '10.0.0.1', statements: [counter({ packets: 3n, bytes: 9n })] }, '10.0.0.2'],
    }),
  'set-concat': ({ sets }) => sets.add({ table: t, name: 's', type: pair, elements: [['10.0.0.1', 80]] }),
  'set-concat-ranges': ({ sets }) =>
    sets.add({
      ...{ table: t, name: 's', type: pair, interval: true, autoMerge: true },
      elements: [
        ['10.0.0.0/8', range(80, 90)],
        ['1.2.3.4', 22],
      ],
    }),
  'set-concat-marks': ({ sets }) =>
    sets.add({
      ...{ table: t, name: 's', type: ['ipv4_addr', 'mark'], interval: true },
      elements: [['10.0.0.0/8', range(1, 5)]],
    }),
  'set-names-ranges': ({ sets }) =>
    sets.add({ table: t, name: 's', type: 'ifname', interval: true, elements: ['eth*', 'wlan0'] }),
  'set-marks-ranges': ({ sets }) =>
    sets.add({ table: t, name: 's', type: 'mark', interval: true, elements: [range(1, 5), 9] }),
  'set-constant': ({ sets }) =>
    sets.add({ table: t, name: 's', type: 'inet_service', constant: true, elements: [22, 53] }),
  'set-catch-all': ({ sets }) =>
    sets.add({ table: t, name: 's', type: 'ipv6_addr', interval: true, elements: ['fd00::/8', '*'] }),
  'set-interval-comment': ({ sets }) =>
    sets.add({
      ...{ table: t, name: 's', type: 'ipv4_addr', interval: true },
      elements: [{ key: '10.0.0.0/8', comment: 'ten' }, '1.2.3.4'],
    }),
  'map-ranges': ({ sets }) =>
    sets.addMap({
      ...{ table: t, name: 'm', type: 'ipv4_addr', to: 'ipv4_addr', interval: true, ranges: true },
      elements: [['10.0.0.0/24', range('1.2.3.4', '1.2.3.8')]],
    }),
  'map-counter': ({ sets }) =>
    sets.addMap({ table: t, name: 'm', type: 'inet_service', to: 'counter', elements: [[80, 'web']] }),
  'map-concat': ({ sets }) =>
    sets.addMap({ table: t, name: 'm', type: pair, to: 'verdict', elements: [[['10.0.0.1', 22], accept()]] }),
  'map-element': ({ sets }) =>
    sets.addEntries({ table: t, name: 'byport', type: 'inet_service', to: 'mark', elements: [[80, 7]] }),
  'set-flush': ({ sets }) => sets.flush({ table: t, name: 'blocked' }),
  'set-delete': ({ sets }) => sets.remove({ table: t, name: 'blocked' }),
}
