import type { Captured } from './commands.ts'

const cable = 'ip link add a0 index 7 type veth peer name b0'
const ingress = 'tc qdisc add dev a0 ingress'
const add = 'tc filter add dev a0 parent ffff: prio 10'

/** More of traffic control. A kernel that lacks the kind is asked, and refuses. */
export const flowerCommands: readonly Captured[] = [
  [
    'fq-add',
    'tc qdisc add dev a0 root fq limit 1000 flow_limit 50 quantum 3000 initial_quantum 15000 maxrate 8mbit buckets 1024 nopacing',
    cable,
  ],
  [
    'prio-add',
    'tc qdisc add dev a0 root handle 1: prio bands 4 priomap 1 2 3 2 1 2 0 0 1 1 1 1 1 1 1 1',
    cable,
  ],
  ['prio-plain', 'tc qdisc add dev a0 root handle 1: prio', cable],
  ['sfq-add', 'tc qdisc add dev a0 root sfq perturb 10 quantum 1514 limit 100 divisor 1024', cable],
  [
    'sfq-red',
    'tc qdisc add dev a0 root sfq limit 3000 headdrop redflowlimit 100000 min 8000 max 60000 probability 0.20 ecn',
    cable,
  ],
  ['sfq-red-plain', 'tc qdisc add dev a0 root sfq redflowlimit 100000 harddrop', cable],
  [
    'flower-tunnel',
    `${add} protocol ip flower enc_key_id 42 enc_src_ip 10.1.0.0/16 enc_dst_ip 10.2.0.1 enc_dst_port 4789 enc_tos 4 enc_ttl 64 action drop`,
    cable,
    ingress,
  ],
  [
    'flower-tunnel-6',
    `${add} protocol all flower enc_key_id 7 enc_src_ip fd00::/64 enc_dst_ip fd00::1 enc_dst_port 5 action pass`,
    cable,
    ingress,
  ],
  [
    'flower-tcp',
    `${add} protocol ip flower src_ip 10.0.0.0/8 dst_ip 192.168.1.1 ip_proto tcp dst_port 443 action drop`,
    cable,
    ingress,
  ],
  [
    'flower-udp-6',
    `${add} protocol ipv6 flower dst_ip fd00::/64 ip_proto udp src_port 53 classid 1:10`,
    cable,
    ingress,
  ],
  [
    'flower-mac',
    `${add} protocol all flower dst_mac 02:00:00:00:00:01 src_mac 02:00:00:00:00:02 action mirred egress mirror dev a0`,
    cable,
    ingress,
  ],
  [
    'flower-icmp',
    `${add} protocol ip flower ip_proto icmp type 8 code 0 ip_ttl 64 ip_tos 4 action pass`,
    cable,
    ingress,
  ],
  [
    'flower-vlan',
    `${add} protocol 802.1q flower vlan_id 5 vlan_prio 3 vlan_ethtype ipv4 action drop`,
    cable,
    ingress,
  ],
  [
    'police-u32',
    `${add} protocol all u32 match u32 0 0 action police rate 8mbit burst 20000 conform-exceed drop/pipe`,
    cable,
    ingress,
  ],
]
