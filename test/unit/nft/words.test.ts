import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  accept,
  addToSet,
  bits,
  concat,
  dnat,
  drop,
  dup,
  expressionsOf,
  inSet,
  limit,
  log,
  map,
  match,
  NetlinkError,
  NftError,
  not,
  queue,
  range,
  redirect,
  reject,
  type Statement,
  tproxy,
  transactionBytes,
  verdictMap,
} from '../../../src/nft/index.ts'
import { piecesOf, setElements } from '../../../src/nft/set/elements.ts'
import { types } from '../../../src/nft/types.ts'

const { ip, ip6, tcp, udp } = match
const pair = concat(ip.saddr, tcp.dport)
const named = concat(ip.saddr, match.iifname)
const seen = { set: 'seen', key: ip.saddr }
const loads = (family: 'ip' | 'inet' | 'bridge', ...statements: Statement[]) =>
  expressionsOf(family, statements).flatMap(one => (one.kind === 'meta' ? [one.key] : []))

test('a rule checks each dependency of its fields once, where the family does not imply it', () => {
  expect(loads('inet', ip.saddr('10.0.0.1'), ip.daddr('10.0.0.2'))).toEqual(['nfproto'])
  expect(loads('ip', ip.saddr('10.0.0.1'))).toEqual([])
  expect(loads('bridge', ip6.saddr('fd00::1'), match.ether.saddr('00:00:00:00:00:01'))).toEqual(['protocol'])
  expect(loads('inet', tcp.dport(1), tcp.sport(2))).toEqual(['l4proto'])
  expect(loads('inet', match.l4proto('tcp'), tcp.dport(1))).toEqual(['l4proto'])
  expect(loads('inet', match.l4proto('tcp', 'udp'), tcp.dport(1))).toEqual(['l4proto', 'l4proto'])
  expect(loads('inet', match.nfproto('ipv4'), ip.saddr('10.0.0.1'))).toEqual(['nfproto'])
  expect(loads('inet', not(match.nfproto('ipv6')), ip.saddr('10.0.0.1'))).toEqual(['nfproto', 'nfproto'])
  expect(loads('ip', ip.protocol('udp'), udp.dport(53))).toEqual([])
})

const wrong: [text: string, code: string, build: () => unknown][] = [
  ['only ip6 packets reach it', 'NFT_CONFLICT', () => expressionsOf('inet', [ip6.hoplimit(1), ip.ttl(1)])],
  ['only ip packets reach it', 'NFT_CONFLICT', () => expressionsOf('ip', [ip6.hoplimit(1)])],
  ['only tcp packets reach it', 'NFT_CONFLICT', () => expressionsOf('ip', [tcp.dport(1), udp.dport(1)])],
  ['only ip packets reach it', 'NFT_CONFLICT', () => expressionsOf('ip', [dnat({ address: 'fd00::1' })])],
  ['needs a match of the protocol', 'NFT_VALUE', () => expressionsOf('ip', [redirect({ port: 1 })])],
  ['is an address of the other family', 'NFT_VALUE', () => expressionsOf('ip', [ip.saddr('fd00::1')])],
  ["'10.0.0' is not an IP address", 'NFT_VALUE', () => expressionsOf('ip', [ip.saddr('10.0.0')])],
  [
    '65536 is not an integer from 0 to 65535',
    'NETLINK_ENCODE',
    () => expressionsOf('ip', [tcp.dport(65536)]),
  ],
  ['the range 9 to 8 is empty', 'NFT_VALUE', () => expressionsOf('ip', [tcp.dport(range(9, 8))])],
  ['not an interface name', 'NFT_VALUE', () => expressionsOf('ip', [match.oifname('a name too long')])],
  ['interface names have no order', 'NFT_VALUE', () => expressionsOf('ip', [match.oifname(range('a', 'b'))])],
  ['a set cannot be combined', 'NFT_VALUE', () => expressionsOf('ip', [tcp.dport(inSet('s'), 1)])],
  ['bit masks cannot be in a set', 'NFT_VALUE', () => expressionsOf('ip', [match.mark(bits(1, 3), 2)])],
  ['bits outside their mask', 'NFT_VALUE', () => expressionsOf('ip', [match.mark(bits(4, 3))])],
  [
    'is neither a number nor one of invalid, established',
    'NFT_VALUE',
    () => expressionsOf('ip', [match.ct.state('no' as 'new')]),
  ],
  ['a match needs at least one value', 'NFT_VALUE', () => tcp.dport()],
  ['a map needs at least one entry', 'NFT_VALUE', () => expressionsOf('ip', [verdictMap(tcp.dport, [])])],
  [
    'give `version`',
    'NFT_VALUE',
    () => expressionsOf('inet', [dnat({ address: map(match.mark, [[1, '10.0.0.1']]) })]),
  ],
  [
    'rate: 0 is not an integer from 1 to 9007199254740991',
    'NETLINK_ENCODE',
    () => limit({ rate: 0, per: 'second' }),
  ],
  ['log with a group cannot have a level', 'NFT_VALUE', () => log({ group: 1, level: 'info' })],
  ['snapLength and queueThreshold need a group', 'NFT_VALUE', () => log({ snapLength: 1 })],
  ['a concatenation has at least two fields', 'NFT_VALUE', () => concat(ip.saddr)],
  [
    'it has 68 bytes, and registers 64',
    'NFT_VALUE',
    () => concat(ip6.saddr, ip6.daddr, ip6.saddr, ip6.daddr, tcp.dport),
  ],
  ['is not an array of 2 values', 'NFT_VALUE', () => expressionsOf('ip', [pair(['10.0.0.1'] as never)])],
  [
    '65536 is not an integer from 0 to 65535',
    'NETLINK_ENCODE',
    () => expressionsOf('ip', [pair(['10.0.0.1', 65536])]),
  ],
  [
    'a wildcard cannot be part of a concatenation',
    'NFT_VALUE',
    () => expressionsOf('ip', [named(['10.0.0.1', 'a*'])]),
  ],
  [
    'only tcp packets reach it',
    'NFT_CONFLICT',
    () => expressionsOf('ip', [pair(['10.0.0.1', 1]), udp.dport(1)]),
  ],
  [
    'accept has no state',
    'NFT_VALUE',
    () => expressionsOf('ip', [addToSet({ ...seen, statements: [accept()] })]),
  ],
  [
    'timeoutMs: 1.5 is not an integer from 0 to 9007199254740991',
    'NETLINK_ENCODE',
    () => expressionsOf('ip', [addToSet({ ...seen, timeoutMs: 1.5 })]),
  ],
  ['the range 4 to 1 is empty', 'NFT_VALUE', () => queue({ to: range(4, 1) })],
  ['it needs an address or a port', 'NFT_VALUE', () => tproxy({})],
  ['needs a match of the protocol', 'NFT_VALUE', () => expressionsOf('ip', [tproxy({ port: 1 })])],
  [
    'only ip packets reach it',
    'NFT_CONFLICT',
    () => expressionsOf('ip', [match.l4proto('tcp'), tproxy({ address: 'fd00::1' })]),
  ],
  ['it needs an address or a device', 'NFT_VALUE', () => dup({})],
  ['it is not one of net-unreachable', 'NFT_VALUE', () => reject({ icmp: 'no-route' as never })],
  ['only ip packets reach it', 'NFT_CONFLICT', () => expressionsOf('ip', [reject({ icmpv6: 'no-route' })])],
  [
    'a mapped port needs a mapped address',
    'NFT_VALUE',
    () => expressionsOf('ip', [dnat({ address: '10.0.0.1', port: 'mapped' })]),
  ],
]

test.each(wrong)('an impossible rule is refused before the kernel sees it: %s', (text, code, build) => {
  expect(build).toThrow(code === 'NETLINK_ENCODE' ? NetlinkError : NftError)
  expect(build).toThrow(
    expect.objectContaining({ code, kind: 'usage', message: expect.stringContaining(text) }),
  )
})

const table = { family: 'inet', name: 't' } as const

test('impossible chains, sets and comments are refused, and the error names the rule', () => {
  const chain = { table, name: 'c' }
  expect(() => transactionBytes(({ chains }) => chains.add({ ...chain, policy: 'drop' }))).toThrow(
    'add chain inet t c: type, priority, policy and devices need a hook',
  )
  expect(() => transactionBytes(({ chains }) => chains.add({ ...chain, hook: 'egress' }))).toThrow(
    'tables of family inet have no hook egress',
  )
  expect(() =>
    transactionBytes(({ chains }) => chains.add({ ...chain, hook: 'forward', priority: 'out' })),
  ).toThrow('have no priority out')
  expect(() =>
    transactionBytes(({ sets }) =>
      sets.add({ table, name: 's', type: 'ipv4_addr', elements: ['10.0.0.0/8'] }),
    ),
  ).toThrow('need a set with `interval: true`')
  const lost = { table, name: 'x', type: 'ct timeout', protocol: 'udp', policy: { established: 1 } } as const
  expect(() => transactionBytes(({ objects }) => objects.add(lost))).toThrow(
    "'established' is not one of unreplied, replied",
  )
  const devices = ['a']
  expect(() =>
    transactionBytes(({ flowtables }) => flowtables.add({ table, name: 'f', priority: 'out', devices })),
  ).toThrow('add flowtable inet t f: tables of family inet have no priority out')
  const statements = [ip.saddr('10.0.0.1'), ip6.saddr('fd00::1'), drop()]
  expect(() => transactionBytes(({ rules }) => rules.add({ table, chain: 'c', statements }))).toThrow(
    'add rule inet t c: ip saddr 10.0.0.1 ip6 saddr fd00::1 drop: ip6 saddr: only ip packets reach it',
  )
  expect(() =>
    transactionBytes(({ rules }) =>
      rules.add({ table, chain: 'c', statements: [accept()], comment: 'x'.repeat(128) }),
    ),
  ).toThrow('at most 127 bytes')
})

test('intervals are read back in any order, and adjacent ones stay apart', async () => {
  const span = fc
    .tuple(fc.nat(65535), fc.nat(40))
    .map(([from, length]) => ({ from, to: Math.min(from + length, 65535) }))
  await fc.assert(
    fc.property(fc.array(span, { maxLength: 20 }), fc.infiniteStream(fc.nat()), (spans, order) => {
      const apart = spans
        .toSorted((a, b) => a.from - b.from)
        .filter(({ from }, at, all) => all.slice(0, at).every(({ to }) => to < from))
      const type = types.inet_service
      const pieces = apart.map(({ from, to }) => ({
        span: { from: type.span(from).from, to: type.span(to).from },
      }))
      const keys = { type, interval: true }
      const elements = setElements(keys, pieces, { merge: false, leading: true })
      const shuffled = elements
        .map(element => ({ element, at: order.next().value as number }))
        .sort((a, b) => a.at - b.at)
      const back = piecesOf(
        keys,
        shuffled.map(({ element }) => element),
      )
      expect(back.map(({ span }) => ({ from: type.show(span!.from), to: type.show(span!.to) }))).toEqual(
        apart,
      )
    }),
    { numRuns: 200 },
  )
})
