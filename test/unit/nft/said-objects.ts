import {
  accept,
  dnat,
  drop,
  map,
  match,
  type NatTarget,
  type ObjectSpec,
  type Statement,
  type TableRef,
  type Transaction,
  useObject,
} from '../../../src/nft/index.ts'

const t: TableRef = { family: 'inet', name: 't' }

type Build = (transaction: Transaction) => void

const rule =
  (...statements: readonly Statement[]): Build =>
  ({ rules }) =>
    rules.add({ table: t, chain: 'c', statements })

const nat =
  (target: NatTarget): Build =>
  ({ rules }) =>
    rules.add({ table: t, chain: 'nat', statements: [dnat(target)] })

const destinations = [
  [80, ['10.0.0.1', 8080]],
  [81, ['10.0.0.2', 8081]],
] as const

type Kind = ObjectSpec extends infer S ? (S extends ObjectSpec ? Omit<S, 'table' | 'name'> : never) : never

const add =
  (kind: Kind): Build =>
  ({ objects }) =>
    objects.add({ table: t, name: 'x', ...kind } as ObjectSpec)

const { tcp } = match
const shield = { mss: 1460, windowScale: 7, timestamp: true, sackPermitted: true }

/** Commands about named objects, flow tables, comments and flushing. */
export const saidOfObjects: Readonly<Record<string, Build>> = {
  'object-counter': rule(useObject('counter', 'web')),
  'object-quota': rule(useObject('quota', 'much'), drop()),
  'object-limit': rule(useObject('limit', 'some'), accept()),
  'object-helper': rule(useObject('ct helper', 'ftp')),
  'object-timeout': rule(useObject('ct timeout', 'late')),
  'object-expectation': rule(useObject('ct expectation', 'next')),
  'object-synproxy': ({ rules }) =>
    rules.add({ table: t, chain: 'in', statements: [tcp.dport(80), useObject('synproxy', 'shield')] }),
  'object-map': rule(useObject('counter', map(tcp.dport, [[80, 'web']]))),
  'object-named-map': rule(useObject('counter', map(tcp.dport, { set: 'counters' }))),
  'object-add-counter': add({ type: 'counter', packets: 3n, bytes: 5n, comment: 'mine' }),
  'object-add-quota': add({ type: 'quota', bytes: 25_600n, over: true, used: 5n }),
  'object-add-limit': add({ type: 'limit', rate: 400, per: 'minute', burst: 6 }),
  'object-add-limit-bytes': add({
    ...{ type: 'limit', rate: 1000, per: 'second', unit: 'bytes' },
    ...{ burst: 500, over: true },
  }),
  'object-add-helper': add({ type: 'ct helper', helper: 'ftp', protocol: 'tcp', family: 'ip' }),
  'object-add-timeout': add({
    ...{ type: 'ct timeout', protocol: 'udp', family: 'ip' },
    policy: { unreplied: 10, replied: 20 },
  }),
  'object-add-expectation': add({
    ...{ type: 'ct expectation', protocol: 'udp', family: 'ip' },
    ...{ port: 9876, timeoutMs: 120_000, size: 12 },
  }),
  'object-add-synproxy': add({ type: 'synproxy', ...shield }),
  'object-add-secmark': add({ type: 'secmark', context: 'system_u:object_r:x_t:s0' }),
  'object-delete': ({ objects }) => objects.remove({ table: t, name: 'web', type: 'counter' }),
  'flowtable-add': ({ flowtables }) => flowtables.add({ table: t, name: 'x', priority: 5, devices: ['lo'] }),
  'table-comment': ({ tables }) => tables.add({ family: 'inet', name: 'x', comment: 'mine' }),
  'chain-comment': ({ chains }) => chains.add({ table: t, name: 'x', comment: 'mine' }),
  'chain-devices': ({ chains }) =>
    chains.add({
      ...{ table: { family: 'netdev', name: 'n' }, name: 'd' },
      ...{ hook: 'ingress', devices: ['lo'], priority: 5 },
    }),
  'chain-rename': ({ chains }) => chains.rename({ table: t, handle: 1n, name: 'x' }),
  'dnat-map-port': nat({ address: map(tcp.dport, destinations), port: 'mapped', version: 4 }),
  'dnat-map-named': nat({ address: map(tcp.dport, { set: 'dests' }), port: 'mapped', version: 4 }),
  'ruleset-flush': ({ tables }) => tables.removeAll(),
  'family-flush': ({ tables }) => tables.removeAll('bridge'),
}
