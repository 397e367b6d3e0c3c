import type { Value } from '../set/span.ts'
import { take } from '../takes.ts'
import { types } from '../types.ts'
import { NFPROTO_IPV4 } from '../wire/index.ts'
import type { numgenModes } from '../words.ts'
import {
  ct,
  ethernet,
  type FibPart,
  type FibResult,
  type Field,
  fib,
  type Hash,
  jhash,
  knowsTransport,
  meta,
  network,
  numgen,
  socket,
  symhash,
  transport,
} from './fields.ts'
import { Match } from './match.ts'

/** Makes a {@link Match} from values. `field` is what it matches. */
export interface Matcher<T> {
  (...values: readonly Value<T>[]): Match<T>
  readonly field: Field<T>
}

export function matcher<T>(field: Field<T>): Matcher<T> {
  return Object.assign((...values: readonly Value<T>[]) => new Match(field, values), { field })
}

const port = types.inet_service
const ports = (protocol: string) => ({
  sport: matcher(transport(protocol, 'sport', { offset: 0, type: port })),
  dport: matcher(transport(protocol, 'dport', { offset: 2, type: port })),
})

const addresses = (protocol: 'ip' | 'ip6', saddr: number) => {
  const type = protocol === 'ip' ? types.ipv4_addr : types.ipv6_addr
  return {
    saddr: matcher(network(protocol, 'saddr', { offset: saddr, type })),
    daddr: matcher(network(protocol, 'daddr', { offset: saddr + type.length, type })),
  }
}

/** What a connection's packets of one direction have. */
const tracked = (direction: 'original' | 'reply') => ({
  ip: {
    saddr: matcher(ct('src_ip', types.ipv4_addr, direction)),
    daddr: matcher(ct('dst_ip', types.ipv4_addr, direction)),
  },
  ip6: {
    saddr: matcher(ct('src_ip6', types.ipv6_addr, direction)),
    daddr: matcher(ct('dst_ip6', types.ipv6_addr, direction)),
  },
  sport: matcher(ct('proto_src', types.inet_service, direction)),
  dport: matcher(ct('proto_dst', types.inet_service, direction)),
  zone: matcher(ct('zone', types.zone, direction)),
})

const protocol = { type: types.inet_proto }

/**
 * The fields that a rule can match, by nft's names: `match.ip.saddr('192.168.0.0/24')` is
 * `ip saddr 192.168.0.0/24`. Several values mean any of them; {@link not} means none. Values may be ranges,
 * `bits` and sets; see {@link Value}. Dependencies are checked first, as nft does it: `ip saddr` in an `inet`
 * table is preceded by a check for IPv4.
 */
export const match = {
  /** Names of interfaces. `eth*` matches all names with that beginning. */
  iifname: matcher(meta('iifname', types.ifname)),
  oifname: matcher(meta('oifname', types.ifname)),
  /** Indexes of interfaces. They are cheaper to match, but an index may later belong to another interface. */
  iif: matcher(meta('iif', types.iface_index)),
  oif: matcher(meta('oif', types.iface_index)),
  mark: matcher(meta('mark', types.mark)),
  nfproto: matcher(
    meta('nfproto', types.nf_proto, {
      know: (rule, value) => rule.knowNetwork(value[0] === NFPROTO_IPV4 ? 'ip' : 'ip6', 'meta nfproto'),
    }),
  ),
  l4proto: matcher(meta('l4proto', types.inet_proto, knowsTransport)),
  /** The Ethernet frame's protocol, `'ip'`, `'arp'` … */
  protocol: matcher(meta('protocol', types.ether_type)),
  /** The user of the process that sent the packet. */
  skuid: matcher(meta('skuid', types.uid)),
  skgid: matcher(meta('skgid', types.gid)),
  /** Groups of interfaces. */
  iifgroup: matcher(meta('iifgroup', types.devgroup)),
  oifgroup: matcher(meta('oifgroup', types.devgroup)),
  /** The type of an interface, ARPHRD_*. */
  iiftype: matcher(meta('iiftype', types.iface_type)),
  oiftype: matcher(meta('oiftype', types.iface_type)),
  /** To which kind of address the frame was sent: `'broadcast'`. */
  pkttype: matcher(meta('pkttype', types.pkt_type)),
  /** The packet's length in bytes. */
  length: matcher(meta('len', types.integer)),
  cpu: matcher(meta('cpu', types.integer)),
  /** Conntrack. */
  ct: {
    state: matcher(ct('state', types.ct_state)),
    status: matcher(ct('status', types.ct_status)),
    mark: matcher(ct('mark', types.mark)),
    direction: matcher(ct('direction', types.ct_dir)),
    zone: matcher(ct('zone', types.zone)),
    original: tracked('original'),
    reply: tracked('reply'),
  },
  /** The local socket that the packet belongs to. */
  socket: {
    transparent: matcher(socket('transparent', types.boolean)),
    wildcard: matcher(socket('wildcard', types.boolean)),
    mark: matcher(socket('mark', types.mark)),
  },
  ip: {
    ...addresses('ip', 12),
    ttl: matcher(network('ip', 'ttl', { offset: 8, type: types.byte })),
    protocol: matcher({ ...network('ip', 'protocol', { offset: 9, ...protocol }), ...knowsTransport }),
  },
  ip6: {
    ...addresses('ip6', 8),
    hoplimit: matcher(network('ip6', 'hoplimit', { offset: 7, type: types.byte })),
    nexthdr: matcher({ ...network('ip6', 'nexthdr', { offset: 6, ...protocol }), ...knowsTransport }),
  },
  tcp: {
    ...ports('tcp'),
    flags: matcher(transport('tcp', 'flags', { offset: 13, type: types.tcp_flag })),
  },
  udp: ports('udp'),
  sctp: ports('sctp'),
  /** The ports of any transport protocol: after an `l4proto` of several. */
  th: ports('th'),
  icmp: { type: matcher(transport('icmp', 'type', { offset: 0, type: types.icmp_type })) },
  icmpv6: { type: matcher(transport('icmpv6', 'type', { offset: 0, type: types.icmpv6_type })) },
  ether: {
    daddr: matcher(ethernet('daddr', { offset: 0, type: types.ether_addr })),
    saddr: matcher(ethernet('saddr', { offset: 6, type: types.ether_addr })),
    type: matcher(ethernet('type', { offset: 12, type: types.ether_type })),
  },
  /** The type of the address in the routing table, `'local'`. */
  fib: { saddr: matcher(fib(['saddr'], 'type')), daddr: matcher(fib(['daddr'], 'type')) },
  /** A look-up in the routing table: `match.route(['saddr', 'iif'], 'oif')(0)` is `fib saddr . iif oif missing`. */
  route: <R extends FibResult>(by: readonly FibPart[], result: R) => {
    take('build fib', by, ['FibParts', 'by'])
    return matcher(fib(by, take('build fib', result, ['FibResult', 'result'])))
  },
  /** A number below `modulus` that is the same for packets with the same fields. */
  jhash: (of: { readonly field: Field<unknown> }, hash: Hash) =>
    matcher(jhash(take('build jhash', of, ['field', 'of']).field, take('build jhash', hash, 'Hash'))),
  /** The same for both directions of a connection. */
  symhash: (hash: Omit<Hash, 'seed'>) => matcher(symhash(take('build symhash', hash, 'Hash'))),
  /** Every n-th packet, or that share at random: `match.numgen('random', 10)(range(0, 2))`. */
  numgen: (mode: (typeof numgenModes)[number], modulus: number, offset?: number) =>
    matcher(numgen(take('build numgen', mode, ['NumgenMode', 'mode']), modulus, offset)),
}
