import {
  accept,
  addFlow,
  concat,
  connectionCount,
  drop,
  dup,
  forward,
  log,
  map,
  match,
  notrack,
  queue,
  quota,
  range,
  reject,
  rewrite,
  type Statement,
  setCtZone,
  setMark,
  setMaxSegment,
  setPriority,
  synproxy,
  type TableRef,
  type Transaction,
  tproxy,
  trace,
} from '../../../src/nft/index.ts'

const t: TableRef = { family: 'inet', name: 't' }

type Build = (transaction: Transaction) => void

const rule =
  (...statements: readonly Statement[]): Build =>
  ({ rules }) =>
    rules.add({ table: t, chain: 'c', statements })
const input =
  (...statements: readonly Statement[]): Build =>
  ({ rules }) =>
    rules.add({ table: t, chain: 'in', statements })
const raw4 =
  (...statements: readonly Statement[]): Build =>
  ({ rules }) =>
    rules.add({ table: { family: 'ip', name: 't4' }, chain: 'pre', statements })
const device =
  (...statements: readonly Statement[]): Build =>
  ({ rules }) =>
    rules.add({ table: { family: 'netdev', name: 'n' }, chain: 'c', statements })

const { ip, tcp, ct, socket } = match
const loopback = 1

/** Commands about what else rules match, and what they do with packets. */
export const saidOfPackets: Readonly<Record<string, Build>> = {
  quota: rule(quota({ bytes: 25_600n, over: true }), drop()),
  'quota-used': rule(quota({ bytes: 25_600n, used: 3n }), accept()),
  'connection-count': rule(connectionCount({ count: 3, over: true }), drop()),
  jhash: rule(match.jhash(concat(ip.saddr, tcp.dport), { modulus: 4, seed: 0xabc })(1), accept()),
  'jhash-mark': rule(setMark(match.jhash(ip.saddr, { modulus: 4 }))),
  symhash: rule(match.symhash({ modulus: 2 })(1), accept()),
  priority: rule(setPriority(0x10002)),
  'maxseg-route': ({ rules }) =>
    rules.add({ table: t, chain: 'way', statements: [tcp.flags('syn'), setMaxSegment('route')] }),
  maxseg: rule(setMaxSegment(1400)),
  'rewrite-dscp': rule(rewrite.ip.dscp(46)),
  'rewrite-ecn': rule(rewrite.ip.ecn(1)),
  'rewrite-ttl': rule(rewrite.ip.ttl(5)),
  'rewrite-address': rule(rewrite.ip.saddr('10.0.0.1')),
  'rewrite-id': rule(rewrite.ip.id(7)),
  'rewrite-fragment': rule(rewrite.ip.fragOff(0x4000)),
  'rewrite-protocol': rule(rewrite.ip.protocol('tcp')),
  'rewrite-dscp-6': rule(rewrite.ip6.dscp(46)),
  'rewrite-ecn-6': rule(rewrite.ip6.ecn(1)),
  'rewrite-hoplimit': rule(rewrite.ip6.hoplimit(5)),
  'rewrite-address-6': rule(rewrite.ip6.daddr('fd00::1')),
  'rewrite-nexthdr': rule(rewrite.ip6.nexthdr('udp')),
  'rewrite-port': rule(rewrite.tcp.dport(8080)),
  'rewrite-port-field': rule(rewrite.tcp.dport(tcp.sport)),
  'rewrite-port-map': rule(
    rewrite.tcp.dport(
      map(match.numgen('inc', 2), [
        [0, 80],
        [1, 81],
      ]),
    ),
  ),
  'rewrite-flags': rule(rewrite.tcp.flags('syn')),
  'rewrite-window': rule(rewrite.tcp.window(512)),
  'rewrite-udp': rule(rewrite.udp.sport(53)),
  'rewrite-sctp': rule(rewrite.sctp.dport(5)),
  'rewrite-any-port': rule(match.l4proto('tcp', 'udp'), rewrite.th.dport(5)),
  'rewrite-icmp': rule(rewrite.icmp.code(1)),
  'rewrite-icmpv6': rule(rewrite.icmpv6.type('echo-reply')),
  'rewrite-ether': rule(rewrite.ether.saddr('00:00:00:01:00:01')),
  trace: rule(trace()),
  'ct-zone': rule(setCtZone(5)),
  'ct-zone-original': rule(setCtZone(5, 'original')),
  'ct-original': rule(ct.original.ip.saddr('10.0.0.1'), accept()),
  'ct-direction': rule(ct.direction('reply'), accept()),
  pkttype: rule(match.pkttype('broadcast'), drop()),
  length: rule(match.length(range(100, 200)), drop()),
  'socket-transparent': rule(socket.transparent(1), accept()),
  'socket-mark': rule(socket.mark(5), accept()),
  'fib-missing': rule(match.route(['saddr', 'iif'], 'exists')(0), drop()),
  'fib-exists': rule(match.route(['saddr'], 'exists')(1), accept()),
  'fib-name': rule(match.route(['daddr'], 'oifname')('lo'), accept()),
  'log-all': rule(log({ prefix: 'a', level: 'info', details: 'all' })),
  'log-details': rule(log({ details: ['tcp sequence', 'tcp options', 'skuid'] })),
  'log-nflog': rule(log({ group: 5, snapLength: 20, queueThreshold: 3 })),
  'reject-icmp': input(reject({ icmp: 'net-prohibited' })),
  'reject-icmpv6': input(reject({ icmpv6: 'policy-fail' })),
  'reject-ip4': raw4(reject('host-unreachable')),
  notrack: raw4(notrack()),
  queue: input(queue({ to: 3 })),
  'queue-many': input(queue({ to: range(1, 4), bypass: true, fanout: true })),
  'queue-hash': input(queue({ to: match.symhash({ modulus: 4 }) })),
  tproxy: rule(match.l4proto('tcp'), tproxy({ port: 50080 })),
  'tproxy-address': rule(match.l4proto('tcp'), tproxy({ address: 'fd00::1', port: 50080 })),
  'tproxy-ip4': raw4(match.l4proto('udp'), tproxy({ address: '10.0.0.1' })),
  'dup-ip': raw4(dup({ address: '10.0.0.1', device: loopback })),
  'dup-netdev': device(dup({ device: loopback })),
  'fwd-netdev': device(forward({ device: loopback })),
  'fwd-address': device(forward({ device: loopback, address: '10.0.0.1' })),
  synproxy: input(
    tcp.dport(80),
    synproxy({ mss: 1460, windowScale: 7, timestamp: true, sackPermitted: true }),
  ),
  'flow-add': rule(addFlow('short')),
}
