import {
  accept,
  back,
  bits,
  counter,
  dnat,
  drop,
  goto,
  inSet,
  jump,
  limit,
  log,
  map,
  masquerade,
  match,
  not,
  range,
  redirect,
  reject,
  restoreMark,
  type Statement,
  saveMark,
  setCtMark,
  setMark,
  snat,
  type TableRef,
  type Transaction,
  verdictMap,
} from '../../../src/nft/index.ts'
import { saidOfObjects } from './said-objects.ts'
import { saidOfPackets } from './said-packets.ts'
import { saidOfSets } from './said-sets.ts'

const t: TableRef = { family: 'inet', name: 't' }
const t4: TableRef = { family: 'ip', name: 't4' }
const b: TableRef = { family: 'bridge', name: 'b' }
const n: TableRef = { family: 'netdev', name: 'n' }

export type Build = (transaction: Transaction) => void

const rule =
  (...statements: readonly Statement[]): Build =>
  ({ rules }) =>
    rules.add({ table: t, chain: 'c', statements })
const nat =
  (...statements: readonly Statement[]): Build =>
  ({ rules }) =>
    rules.add({ table: t, chain: 'nat', statements })

const { ip, ip6, tcp, udp, ct, mark } = match
const two = [
  [0, '1.2.3.4'],
  [1, '1.2.3.5'],
] as const

/** The commands that `nft` was given (test/vectors/nft/rulesets.ts), as operations of the library. */
export const said: Readonly<Record<string, Build>> = {
  'ip-whole-bytes': rule(ip.saddr('192.168.0.0/24'), drop()),
  'ip-bits': rule(not(ip.saddr('10.0.0.0/12')), drop()),
  'ip-range': rule(ip.saddr(range('10.0.0.1', '10.0.0.7')), drop()),
  'ip-set': rule(ip.saddr('10.0.0.0/8', '192.168.0.1', '192.168.0.2'), drop()),
  'ip-named-set': rule(ip.daddr(inSet('blocked')), drop()),
  'ip-protocol': rule(ip.protocol('tcp'), tcp.dport(22), accept()),
  'ip-in-ip': ({ rules }) => {
    const statements = [ip.saddr('192.168.0.0/24'), match.oifname('eth0'), masquerade()]
    rules.add({ table: t4, chain: 'nat', statements })
  },
  'ip-in-bridge': ({ rules }) => {
    const from = [match.ether.saddr('00:00:00:00:00:01'), ip.saddr('1.2.3.4')]
    rules.add({ table: b, chain: 'c', statements: [...from, tcp.dport(3), drop()] })
  },
  'ip-in-netdev': ({ rules }) => {
    const from = [ip.saddr('1.2.3.4'), match.ether.saddr('00:00:00:00:00:01')]
    rules.add({ table: n, chain: 'c', statements: [...from, drop()] })
  },
  'ip6-bits': rule(ip6.saddr('fd00::/9'), back()),
  'ip6-hoplimit': rule(ip6.hoplimit(3), counter({ packets: 3n, bytes: 5n }), goto('web')),
  'ip6-set': rule(ip6.daddr('fd00::/64', 'fe80::1'), accept()),
  'icmp-type': rule(match.icmp.type('echo-request'), drop()),
  'icmpv6-type': rule(match.icmpv6.type('nd-neighbor-solicit'), accept()),
  'ether-saddr': rule(match.ether.saddr('00:00:00:01:00:01'), accept()),
  'names-wildcard': rule(match.iifname('eth*'), accept()),
  'names-set': rule(match.iifname('eth0', 'eth1'), accept()),
  'names-not': rule(not(match.oifname('eth0')), accept()),
  index: rule(match.iif(1), accept()),
  'mark-set': rule(mark(7, 8), accept()),
  'mark-bits': rule(mark(bits(1, 0xff)), accept()),
  'mark-write': rule(setMark(7)),
  'mark-restore': rule(restoreMark()),
  'mark-save': rule(saveMark()),
  'ct-mark-write': rule(setCtMark(5)),
  'ct-state': rule(ct.state('established', 'related'), accept()),
  'ct-state-not': rule(not(ct.state('established', 'related')), drop()),
  'port-range': rule(tcp.dport(range(1, 100)), drop()),
  'port-range-not': rule(not(tcp.dport(range(1, 100))), drop()),
  'port-set': rule(tcp.dport(22, range(80, 90), range(91, 95)), accept()),
  'port-set-not': rule(not(udp.sport(22, 80)), accept()),
  'port-map': rule(
    verdictMap(tcp.dport, [
      [22, accept()],
      [80, jump('web')],
    ]),
  ),
  'protocol-set': rule(match.l4proto('tcp', 'udp'), match.th.dport(53), accept()),
  'tcp-flags': rule(tcp.flags(bits('syn', ['syn', 'rst'])), accept()),
  'numgen-below': rule(match.numgen('random', 10)(range(0, 2)), drop()),
  'numgen-is': rule(match.numgen('inc', 2, 5)(6), drop()),
  'fib-local': rule(match.fib.daddr('local'), accept()),
  'log-group': rule(log({ prefix: 'hi ', group: 2 })),
  'log-level': rule(log({ prefix: 'hi ', level: 'debug' })),
  'limit-packets': rule(limit({ rate: 10, per: 'second' }), accept()),
  'limit-bytes': rule(limit({ rate: 1048576, per: 'minute', unit: 'bytes', over: true }), drop()),
  reject: rule(reject()),
  'reject-reset': rule(reject('tcp reset')),
  'reject-prohibited': rule(reject('admin-prohibited')),
  comment: ({ rules }) =>
    rules.add({ table: t, chain: 'c', statements: [counter(), accept()], comment: 'let it in' }),
  redirect: nat(ip.daddr('192.168.0.250'), udp.dport(53), redirect({ port: 10053 })),
  dnat: nat(ip.daddr('192.168.0.250'), dnat({ address: '1.2.3.4' })),
  'dnat-port': nat(tcp.dport(80), dnat({ address: 'fd00::1', port: 8080 })),
  'dnat-ranges': nat(tcp.dport(80), dnat({ address: range('1.2.3.4', '1.2.3.9'), port: range(8080, 8090) })),
  'dnat-map': nat(dnat({ address: map(match.numgen('inc', 2), two), version: 4 })),
  snat: ({ rules }) => rules.add({ table: t4, chain: 'nat', statements: [snat({ address: '1.2.3.4' })] }),
  'masquerade-ports': ({ rules }) => {
    const statements = [match.l4proto('tcp'), masquerade({ port: range(1024, 65535), random: true })]
    rules.add({ table: t4, chain: 'nat', statements })
  },
  'set-interval': ({ sets }) => {
    const elements = ['10.0.0.0/24', '10.0.1.0/24', '10.1.0.1']
    sets.add({ table: t, name: 's', type: 'ipv4_addr', interval: true, elements })
  },
  'set-plain': ({ sets }) => sets.add({ table: t, name: 's', type: 'inet_service', elements: [53, 22] }),
  'set-names': ({ sets }) => sets.add({ table: t, name: 's', type: 'ifname', elements: ['eth0'] }),
  'set-mark': ({ sets }) => sets.add({ table: t, name: 's', type: 'mark', size: 100, elements: [7] }),
  'set-element': ({ sets }) =>
    sets.addElements({
      table: t,
      name: 'blocked',
      type: 'ipv4_addr',
      interval: true,
      elements: ['10.0.0.0/8'],
    }),
  'set-element-delete': ({ sets }) =>
    sets.removeElements({
      table: t,
      name: 'ranges',
      type: 'ipv4_addr',
      interval: true,
      elements: ['10.9.0.0/16'],
    }),
  'map-data': ({ sets }) =>
    sets.addMap({ table: t, name: 'm', type: 'inet_service', to: 'ipv4_addr', elements: [[80, '10.0.0.1']] }),
  'map-verdict': ({ sets }) =>
    sets.addMap({
      table: t,
      name: 'm',
      type: 'ipv4_addr',
      to: 'verdict',
      elements: [['10.0.0.1', jump('web')]],
    }),
  'chain-netdev': ({ chains }) =>
    chains.add({ table: n, name: 'd', hook: 'ingress', devices: ['lo'], priority: 5, policy: 'drop' }),
  'table-delete': ({ tables }) => tables.remove(b),
  'chain-flush': ({ chains }) => chains.flush({ table: t, name: 'c' }),
  'chain-delete': ({ chains }) => chains.remove({ table: t, name: 'web' }),
  ...saidOfSets,
  ...saidOfPackets,
  ...saidOfObjects,
}
