import type { Captured } from './commands.ts'

const source = 'ip link add link a0 name mv0 index 22 type macvlan mode source'
const cable = 'ip link add a0 index 7 type veth peer name b0'

/** Kinds of links, a port's settings, other names. Kinds that the kernel lacks are sent, and refused. */
export const linkCommands: readonly Captured[] = [
  [
    'vxlan-add',
    'ip link add vx0 type vxlan id 42 dev a0 remote 192.168.2.201 local 192.168.2.1 dstport 4789 ttl 16 ageing 100 nolearning l2miss',
    cable,
  ],
  [
    'vxlan-add-6',
    'ip link add vx0 type vxlan id 42 dev a0 group ff05::100 local fd00::1 dstport 8472 srcport 32768 61000 df set',
    cable,
  ],
  ['vxlan-external', 'ip link add vx0 type vxlan external dstport 4789'],
  ['macvlan-add', 'ip link add link a0 name mv0 type macvlan mode bridge', cable],
  ['macvlan-passthru', 'ip link add link a0 name mv0 type macvlan mode passthru nopromisc', cable],
  ['macvtap-add', 'ip link add link a0 name mt0 type macvtap mode vepa', cable],
  ['ipvlan-add', 'ip link add link a0 name iv0 type ipvlan mode l3s private', cable],
  ['ifb-add', 'ip link add ifb7 up type ifb'],
  ['dummy-add', 'ip link add dm0 address 02:00:00:00:00:03 type dummy'],
  ['vlan-add', 'ip link add link a0 name a0.5 type vlan id 5', cable],
  ['vlan-add-qinq', 'ip link add link a0 name a0.6 type vlan protocol 802.1ad id 6 gvrp on', cable],
  ['vrf-add', 'ip link add red type vrf table 100'],
  [
    'bond-add',
    'ip link add bond0 type bond mode 802.3ad miimon 100 lacp_rate fast xmit_hash_policy layer3+4 min_links 1',
  ],
  [
    'bond-arp',
    'ip link add bond0 type bond mode active-backup arp_interval 100 arp_validate all arp_all_targets all arp_ip_target 192.168.0.1,192.168.0.2 ns_ip6_target fd00::1,fd00::2 primary_reselect better arp_missed_max 3',
  ],
  [
    'bond-ad',
    'ip link add bond0 type bond mode 802.3ad ad_select bandwidth lacp_active on ad_user_port_key 37 ad_actor_sys_prio 1000 ad_actor_system 02:00:00:00:00:09',
  ],
  [
    'bond-rest',
    'ip link add bond0 type bond mode balance-alb miimon 100 use_carrier 0 peer_notify_delay 200 resend_igmp 3 num_grat_arp 4 all_slaves_active 1 lp_interval 5 packets_per_slave 6 tlb_dynamic_lb 1',
  ],
  [
    'macvlan-source',
    'ip link set link a0 dev mv0 type macvlan macaddr set 02:00:00:00:00:05 02:00:00:00:00:06',
    cable,
    source,
  ],
  [
    'macvlan-source-add',
    'ip link set link a0 dev mv0 type macvlan macaddr add 02:00:00:00:00:05',
    cable,
    source,
  ],
  [
    'macvlan-source-del',
    'ip link set link a0 dev mv0 type macvlan macaddr del 02:00:00:00:00:05',
    cable,
    source,
  ],
  ['macvlan-source-flush', 'ip link set link a0 dev mv0 type macvlan macaddr flush', cable, source],
  [
    'bond-backup',
    'ip link add bond0 type bond mode active-backup miimon 100 updelay 200 fail_over_mac active',
  ],
  ['altname-add', 'ip link property add dev a0 altname left altname the-left-end-of-the-cable', cable],
  [
    'altname-del',
    'ip link property del dev a0 altname left',
    cable,
    'ip link property add dev a0 altname left',
  ],
  ['namespace-move', 'ip link set dev a0 netns /proc/self/ns/net', cable],
  [
    'port-settings',
    'bridge link set dev a0 learning off flood off mcast_flood off bcast_flood off hairpin on guard on fastleave on neigh_suppress on mcast_to_unicast on locked on cost 10 priority 16 state 3',
    'ip link add xcbr0 type bridge',
    'ip link add a0 index 7 master xcbr0 type veth peer name b0',
  ],
  [
    'port-forward-mask',
    'ip link set dev a0 type bridge_slave group_fwd_mask 0x4000',
    'ip link add xcbr0 type bridge',
    'ip link add a0 index 7 master xcbr0 type veth peer name b0',
  ],
]

export const linkAnswers: readonly Captured[] = [
  [
    'link-kinds-dump',
    'ip -s -d link show',
    cable,
    'ip link set dev a0 up',
    'ip link add vx0 index 20 type vxlan id 42 dev a0 remote 192.168.2.201 local 192.168.2.1 dstport 4789',
    'ip link add vx6 index 21 type vxlan id 43 dev a0 group ff05::100 local fd00::1 dstport 4789',
    'ip link add link a0 name mv0 index 22 type macvlan mode bridge',
    'ip link add ifb7 index 23 type ifb',
    'ip link property add dev a0 altname the-left-end-of-the-cable',
  ],
]
