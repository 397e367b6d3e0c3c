import type { Captured } from './commands.ts'

const cable = 'ip link add a0 index 7 type veth peer name b0'
const wired = [
  cable,
  'ip link set a0 up',
  'ip link set b0 up',
  'ip address add 192.168.1.1/24 dev a0',
  'ip address add fd00::1/64 dev a0 nodad',
] as const
const bridged = [
  'ip link add xcbr0 index 5 type bridge',
  'ip link add a0 index 7 master xcbr0 type veth peer name b0',
] as const
const hops = [
  ...wired,
  'ip nexthop add id 1 via 192.168.1.201 dev a0',
  'ip link set lo up',
  'ip nexthop add id 2 blackhole',
] as const

/** Nexthop objects, VLANs of bridges, ids of namespaces, more of addresses, routes and rules. */
export const objectCommands: readonly Captured[] = [
  [
    'address-replace',
    'ip address replace 192.168.1.9/24 dev a0 label a0:9 valid_lft 1000 preferred_lft 500 metric 77 noprefixroute',
    cable,
  ],
  ['address-replace-6', 'ip address replace fd00::1/64 dev a0 valid_lft 60 preferred_lft 0', ...wired],
  ['address-flags-6', 'ip address add fd00:1::1/64 dev a0 nodad home mngtmpaddr noprefixroute', cable],
  ['rule-l3mdev', 'ip rule add l3mdev priority 1000'],
  ['rule-realms', 'ip rule add tun_id 77 realms 3/4 lookup 100 protocol 99 suppress_ifgroup 7 priority 106'],
  [
    'route-change',
    'ip route change 10.1.0.0/16 via 192.168.1.202',
    ...wired,
    'ip route add 10.1.0.0/16 dev a0',
  ],
  ['route-nexthop-id', 'ip route add 10.2.0.0/16 nhid 1', ...hops],
  ['route-expires-6', 'ip -6 route add fd01::/64 via fd00::2 dev a0 expires 300 pref high', ...wired],
  ['route-from-6', 'ip -6 route add fd02::/64 from fd00::/64 via fd00::2 dev a0', ...wired],
  [
    'route-metrics-more',
    'ip route add 10.3.0.0/16 via 192.168.1.201 realm 3/4 rtt 50ms rttvar 30ms ssthresh 9 cwnd 7 reordering 4 rto_min 200ms congctl bbr fastopen_no_cookie 1',
    ...wired,
  ],
  ['route-encap-ip', 'ip route add 10.4.0.0/16 encap ip id 7 dst 10.9.9.9 src 10.0.0.1 dev a0', ...wired],
  ['route-encap-ip6', 'ip -6 route add fd04::/64 encap ip6 id 7 dst fd09::9 dev a0', ...wired],
  ['route-encap-mpls', 'ip route add 10.5.0.0/16 encap mpls 100/200 via 192.168.1.201 dev a0', ...wired],
  [
    'route-encap-seg6',
    'ip -6 route add fd05::/64 encap seg6 mode encap segs fd00::5,fd00::6 dev a0',
    ...wired,
  ],
  ['route-encap-inline', 'ip -6 route add fd06::/64 encap seg6 mode inline segs fd00::5 dev a0', ...wired],
  ['nexthop-add', 'ip nexthop add id 1 via 192.168.1.201 dev a0 onlink protocol 99', ...wired],
  ['nexthop-add-6', 'ip nexthop add id 2 via fd00::2 dev a0', ...wired],
  ['nexthop-dev-6', 'ip -6 nexthop add id 3 dev a0', ...wired],
  ['nexthop-blackhole', 'ip nexthop add id 4 blackhole', 'ip link set lo up'],
  ['nexthop-group', 'ip nexthop replace id 10 group 1,20', ...hops],
  [
    'nexthop-resilient',
    'ip nexthop add id 11 group 1 type resilient buckets 8 idle_timer 30 unbalanced_timer 60',
    ...hops,
  ],
  ['nexthop-fdb', 'ip nexthop add id 12 via 10.9.9.9 fdb'],
  ['nexthop-encap', 'ip nexthop add id 13 encap mpls 300 via 192.168.1.201 dev a0', ...wired],
  ['nexthop-del', 'ip nexthop del id 2', ...hops],
  ['vlan-port', 'bridge vlan add dev a0 vid 10 pvid untagged', ...bridged],
  ['vlan-range', 'bridge vlan add dev a0 vid 20-30', ...bridged],
  ['vlan-self', 'bridge vlan add dev xcbr0 vid 10 self', ...bridged],
  ['vlan-del', 'bridge vlan del dev a0 vid 10', ...bridged],
  ['link-flags', 'ip link set dev a0 promisc on allmulticast on arp off multicast off', cable],
  ['link-queues', 'ip link add dm0 numtxqueues 4 numrxqueues 2 type dummy'],
  ['namespace-id', 'ip netns set other 7', 'mount -t tmpfs none /run', 'ip netns add other'],
]

export const objectAnswers: readonly Captured[] = [
  ['nexthop-dump', 'ip nexthop show', ...hops, 'ip nexthop add id 10 group 1,20 type resilient buckets 4'],
  [
    'bucket-dump',
    'ip nexthop bucket show id 10',
    ...hops,
    'ip nexthop add id 10 group 1 type resilient buckets 4',
  ],
]
