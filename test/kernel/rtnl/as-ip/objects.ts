/** One of everything that this kernel and ip can make, for `ip -batch`. Links v0 (101) and v1 are a veth pair. */
export const links = [
  'link set lo up',
  'link add br0 index 100 type bridge',
  'link add v0 index 101 type veth peer name v1',
  'link set v0 up addrgenmode none',
  'link set v1 up addrgenmode none',
]

export const addresses = [
  'addr add 10.0.0.1/24 dev v0 brd +',
  'addr add 10.0.0.2/24 dev v0 label v0:x valid_lft 1000 preferred_lft 500',
  'addr add 10.1.0.1/24 dev v0 noprefixroute metric 77',
  'addr add 172.30.0.3/32 peer 172.30.0.2/32 dev v0 scope link',
  'addr add 224.1.1.1/32 dev v0 autojoin',
  'addr add fd00::1/64 dev v0 nodad',
  'addr add fd00:1::1/64 dev v0 nodad valid_lft 1000 preferred_lft 0',
  'addr add fd00:2::1/64 dev v0 nodad mngtmpaddr noprefixroute home',
  'addr add fd00:3::1 peer fd00:3::2/128 dev v0 nodad metric 9',
]

export const nextHops = [
  'nexthop add id 1 via 10.0.0.7 dev v0',
  'nexthop add id 2 via fd00::7 dev v0',
  'nexthop add id 3 blackhole',
  'nexthop add id 5 via 10.0.0.8 dev v0 onlink protocol 99',
  'nexthop add id 10 group 1,20/5',
  'nexthop add id 11 group 1/5 type resilient buckets 4 idle_timer 30 unbalanced_timer 60',
  'nexthop add id 12 via 10.9.9.9 fdb',
]

export const routes = [
  'route add 10.20.0.0/16 nhid 1',
  'route add 10.21.0.0/16 nhid 10',
  'route add 10.22.0.0/16 nhid 3',
  'route add 10.23.0.0/16 via 10.0.0.9 realm 3/4 rtt 50 rttvar 30 ssthresh 9 cwnd 7 reordering 4 features ecn rto_min 200ms quickack 1 congctl cubic fastopen_no_cookie 1 mtu lock 1400 advmss 1300 hoplimit 9 initcwnd 5 initrwnd 6 window 65535',
  'route add 10.24.0.0/16 nexthop via 10.0.0.9 dev v0 weight 3 realm 5 nexthop via 10.0.0.10 dev v0 onlink',
  'route add unreachable 10.25.0.0/16 tos 0x10 metric 4',
  'route add prohibit 10.26.0.0/16',
  'route add blackhole 10.26.0.0/16 metric 1',
  'route add throw 10.26.0.0/16 metric 2',
  'route add 10.27.0.0/16 via inet6 fe80::1 dev v0',
  'route add 10.28.0.0/16 dev v0 table 300 proto 99 src 10.0.0.1 scope link',
  'route add 10.29.0.0/16 encap ip id 7 dst 10.9.9.9 src 10.0.0.1 ttl 9 tos 4 via 10.0.0.9 dev v0',
  'route add 10.30.0.0/16 via 10.7.7.7 dev v0 onlink',
  'route add local 10.31.0.0/16 dev lo table 300',
  'route add broadcast 10.32.0.255 dev v0 table 300',
  'route add default via 10.0.0.254 proto 186',
  '-6 route add fd20::/64 nhid 2',
  '-6 route add fd21::/64 via fd00::9 dev v0 expires 300 pref high',
  '-6 route add fd22::/64 from fd00::/64 via fd00::9 dev v0 pref low',
  '-6 route add unreachable fd25::/64',
  '-6 route add blackhole fd27::/64 metric 7',
  '-6 route add fd26::/64 nexthop via fd00::9 dev v0 nexthop via fd00::8 dev v0 weight 4',
  '-6 route add fd28::/64 via fd00::9 dev v0 mtu 1400 hoplimit 9 table 300 src fd00::1',
  '-6 route add fd31::/64 encap seg6 mode encap segs fd00::5,fd00::6 via fd00::9 dev v0',
  '-6 route add fd32::/64 encap seg6 mode inline segs fd00::5 via fd00::9 dev v0',
  '-6 route add fd33::/64 encap ip6 id 8 dst fd00::8 src fd00::1 hoplimit 9 via fd00::9 dev v0',
]

export const rules = [
  'rule add from 10.0.0.0/8 to 172.16.0.0/12 table 100 prio 40',
  'rule add iif lo oif v0 table 300 prio 41',
  'rule add iif gone oif gone2 table main prio 42',
  'rule add fwmark 0x10/0xff table 100 prio 43',
  'rule add fwmark 0x10 table 100 prio 44',
  'rule add fwmark 0/0xff table 100 prio 45',
  'rule add l3mdev prio 46',
  'rule add ipproto tcp sport 1000-2000 dport 443 table 100 prio 47',
  'rule add not from 10.0.0.1 prohibit prio 48',
  'rule add from 10.0.0.0/8 blackhole prio 49',
  'rule add from 10.0.0.0/8 unreachable prio 50',
  'rule add goto 32766 prio 51',
  'rule add goto 32000 prio 52',
  'rule add nop prio 53',
  'rule add uidrange 1000-1999 table 100 protocol 99 prio 54',
  'rule add table main suppress_prefixlength 0 prio 55',
  'rule add table main suppress_ifgroup 7 prio 56',
  'rule add tos 0x10 table 100 realms 3/4 prio 57',
  'rule add tun_id 77 table 100 realms 5 prio 58',
  '-6 rule add from fd00::/64 to fd00::1 table 100 prio 59',
  '-6 rule add l3mdev iif v0 prio 60',
  '-6 rule add tun_id 18446744073709551615 ipproto udp dport 53 table 1000 prio 61',
]

export const kinds = [
  'link add br0 index 100 type bridge mcast_igmp_version 3 group_fwd_mask 8',
  'link add v0 index 101 type veth peer name v1',
  'link set v0 up addrgenmode none promisc on allmulticast on',
  'link set v1 up addrgenmode none master br0 alias hello',
  'link set br0 up addrgenmode none',
  'link add vx4 type vxlan id 42 dev v0 remote 192.168.2.201 local 192.168.2.1 dstport 4789 ttl 16 tos 4 ageing 100 maxaddress 50 nolearning proxy rsc l2miss l3miss noudpcsum udp6zerocsumtx gbp',
  'link add vx6 type vxlan id 43 group ff05::100 dev v0 local fd00::1 dstport 4790 srcport 40000 50000 df set flowlabel 0x77',
  'link add vxe type vxlan external dstport 4791 vnifilter',
  'link add link v0 name mv0 type macvlan mode bridge bcqueuelen 99',
  'link add link v0 name mvt type macvtap mode vepa',
  'link add ifb9 txqueuelen 32 numtxqueues 4 type ifb',
  'tuntap add tap0 mode tap multi_queue vnet_hdr user 50007',
  'tuntap add tun0 mode tun pi group 50008',
  'link property add dev v0 altname left',
]

export const tables = [
  'neigh add 10.0.0.9 lladdr 00:00:00:01:01:09 dev v0 nud permanent',
  'neigh add 10.0.0.10 lladdr 00:00:00:01:01:0a dev v0 nud noarp extern_learn protocol 99',
  'neigh add proxy 10.0.0.11 dev v0',
  '-6 neigh add fd00::9 lladdr 00:00:00:01:01:0b dev v0 nud permanent router',
]
