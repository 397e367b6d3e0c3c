import type { Captured } from './commands.ts'

const cable = 'ip link add a0 index 7 type veth peer name b0'
const addressed = ['ip link set lo up', 'ip address add 192.168.1.1/24 dev lo'] as const
const wired = [
  cable,
  'ip link set a0 up',
  'ip link set b0 up',
  'ip address add fd00::1/64 dev a0 nodad',
] as const
const bridged = [
  'ip link add xcbr0 index 5 type bridge',
  'ip link add a0 index 7 master xcbr0 type veth peer name b0',
] as const

/** Neighbours, bridges' forwarding tables, rules, more of routes. */
export const tableCommands: readonly Captured[] = [
  ['neighbour-add', 'ip neighbour add 192.168.1.9 lladdr 00:00:00:01:01:09 dev a0 nud permanent', cable],
  ['neighbour-add-6', 'ip neighbour add fd00::9 lladdr 00:00:00:01:01:09 dev a0 nud reachable router', cable],
  ['neighbour-change', 'ip neighbour change 192.168.1.9 lladdr 00:00:00:01:01:0a dev a0 nud stale', cable],
  ['neighbour-replace', 'ip neighbour replace 192.168.1.9 lladdr 00:00:00:01:01:09 dev a0', cable],
  ['neighbour-proxy', 'ip neighbour add proxy 192.168.1.77 dev a0', cable],
  ['neighbour-del', 'ip neighbour del 192.168.1.9 dev a0', cable],
  ['fdb-add', 'bridge fdb add 00:00:00:01:01:02 dev a0 master static', ...bridged],
  [
    'fdb-append',
    'bridge fdb append 00:00:00:00:00:00 dev vx0 dst 192.168.2.202 port 4790 vni 43',
    'ip link add vx0 index 9 type vxlan id 42 dstport 4789',
  ],
  ['fdb-replace', 'bridge fdb replace 00:00:00:01:01:02 dev a0 master dynamic', ...bridged],
  ['fdb-del', 'bridge fdb del 00:00:00:01:01:02 dev a0 master', ...bridged],
  ['rule-add-4', 'ip -4 rule add oif lo table 300'],
  ['rule-add-6', 'ip -6 rule add oif lo table 300'],
  ['rule-from', 'ip rule add from 192.168.1.0/24 to 10.0.0.0/8 iif lo priority 100 table 100'],
  ['rule-mark', 'ip rule add fwmark 0x10/0xff lookup 300 priority 101'],
  ['rule-ports', 'ip rule add ipproto tcp sport 1000-2000 dport 443 oif lo lookup 100 priority 102'],
  [
    'rule-not-6',
    'ip -6 rule add not from fd00::/64 uidrange 1000-1001 lookup main suppress_prefixlength 0 priority 103',
  ],
  ['rule-prohibit', 'ip rule add from 192.168.9.0/24 prohibit priority 104'],
  ['rule-goto', 'ip rule add from 192.168.8.0/24 goto 32766 priority 105'],
  [
    'rule-del',
    'ip rule del priority 100 from 192.168.1.0/24 table 100',
    'ip rule add from 192.168.1.0/24 priority 100 table 100',
  ],
  ['route-unreachable-6', 'ip -6 route add unreachable fd00:9::/64 metric 7'],
  ['route-prohibit', 'ip route add prohibit 10.3.0.0/16 table 100'],
  ['route-throw', 'ip route add throw 10.4.0.0/16 table 100'],
  ['route-append', 'ip route append 10.5.0.0/16 via 192.168.1.202 dev lo tos 0x10', ...addressed],
  [
    'route-metrics',
    'ip route add 10.6.0.0/16 via 192.168.1.201 mtu lock 1400 advmss 1300 hoplimit 9 initcwnd 20 initrwnd 30 window 65535 quickack 1',
    ...addressed,
  ],
  [
    'route-multipath-6',
    'ip -6 route add fd00:8::/64 nexthop via fd00::2 dev a0 weight 2 nexthop via fd00::3 dev a0',
    ...wired,
  ],
  ['route-via-6', 'ip route add 10.9.0.0/16 via inet6 fe80::1 dev a0', ...wired],
  ['route-get', 'ip route get 10.0.0.1 from 192.168.1.1 iif lo mark 0x10', ...addressed],
  ['route-get-6', 'ip -6 route get fd00:8::1 oif lo', ...addressed],
]

export const tableAnswers: readonly Captured[] = [
  [
    'neighbour-dump',
    'ip -s neighbour show',
    ...wired,
    'ip neighbour add 192.168.1.9 lladdr 00:00:00:01:01:09 dev a0 nud permanent',
    'ip neighbour add fd00::9 lladdr 00:00:00:01:01:0a dev a0 nud stale router',
  ],
  ['neighbour-proxy-dump', 'ip neighbour show proxy', cable, 'ip neighbour add proxy 192.168.1.77 dev a0'],
  [
    'fdb-dump',
    'bridge -s fdb show',
    ...bridged,
    'bridge fdb add 00:00:00:01:01:02 dev a0 master static',
    'ip link add vx0 index 9 type vxlan id 42 dstport 4789',
    'bridge fdb append 00:00:00:00:00:00 dev vx0 dst 192.168.2.202 port 4790 vni 43',
  ],
  [
    'rule-dump',
    'ip rule show',
    'ip rule add from 192.168.1.0/24 to 10.0.0.0/8 iif lo priority 100 table 100',
    'ip rule add fwmark 0x10/0xff lookup 300 priority 101',
    'ip rule add ipproto tcp sport 1000-2000 dport 443 oif lo lookup 100 priority 102',
    'ip rule add not from 192.168.9.0/24 prohibit priority 104',
    'ip rule add from 192.168.8.0/24 goto 32766 priority 105',
  ],
  ['route-got', 'ip route get 192.168.1.9', ...addressed],
]
