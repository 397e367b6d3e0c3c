/** File name, command, and what has to be there before it runs. */
export type Captured = readonly [name: string, command: string, ...before: string[]]

export const commands: readonly Captured[] = [
  [
    'bridge-add',
    'ip link add xcbr0 address 00:00:00:01:00:fa mtu 1400 group 7 up type bridge group_fwd_mask 0x4000 stp_state 0 nf_call_iptables 0 nf_call_ip6tables 0 nf_call_arptables 0',
  ],
  [
    'bridge-add-index',
    'ip link add xcbr0 index 1000 type bridge vlan_filtering 0 forward_delay 0 mcast_snooping 0',
  ],
  ['bridge-change', 'ip link set dev xcbr0 type bridge ageing_time 100', 'ip link add xcbr0 type bridge'],
  [
    'veth-add',
    'ip link add a0 address 02:00:00:00:00:01 type veth peer name b0 mtu 1400 address 02:00:00:00:00:02 netns /proc/self/ns/net',
  ],
  ['lo-up', 'ip link set dev lo up'],
  [
    'port-attach',
    'ip link set dev a0 mtu 1400 master xcbr0 group 7 up',
    'ip link add xcbr0 index 5 type bridge',
    'ip link add a0 index 7 type veth peer name b0',
  ],
  ['addr-gen-mode', 'ip link set dev lo addrgenmode none'],
  ['nomaster', 'ip link set dev lo nomaster'],
  ['rename', 'ip link set dev a0 name a1', 'ip link add a0 index 7 type veth peer name b0'],
  [
    'port-isolated',
    'bridge link set dev a0 isolated on learning off',
    'ip link add xcbr0 type bridge',
    'ip link add a0 index 7 master xcbr0 type veth peer name b0',
  ],
  ['link-del', 'ip link del dev a0', 'ip link add a0 index 7 type veth peer name b0'],
  ['group-del', 'ip link del group 7', 'ip link add a0 group 7 type veth peer name b0'],
  ['address-add-4', 'ip address add 192.168.0.250/24 dev lo'],
  ['address-add-6', 'ip address add fd00::c0a8:fa/120 dev lo nodad'],
  ['address-add-peer', 'ip address add 172.30.0.3/32 peer 172.30.0.2/32 dev lo'],
  ['address-del', 'ip address del 192.168.0.250/24 dev lo', 'ip address add 192.168.0.250/24 dev lo'],
  [
    'route-default-4',
    'ip route add default via 192.168.1.201',
    'ip link set lo up',
    'ip address add 192.168.1.1/24 dev lo',
  ],
  ['route-default-6', 'ip -6 route add default via fd00::2 dev lo metric 50', 'ip link set lo up'],
  [
    'route-dev',
    'ip route add 10.1.0.0/16 dev lo src 192.168.1.1 mtu 1400',
    'ip link set lo up',
    'ip address add 192.168.1.1/24 dev lo',
  ],
  [
    'route-multipath',
    'ip route replace default table 300 nexthop via 192.168.1.201 dev lo nexthop via 192.168.1.202 dev lo weight 3 onlink',
    'ip link set lo up',
    'ip address add 192.168.1.1/24 dev lo',
  ],
  ['route-blackhole', 'ip route add blackhole 10.2.0.0/16'],
  ['route-del', 'ip route del 10.2.0.0/16 via 192.168.1.201', 'ip link set lo up'],
]

/** The same for what the kernel answers. */
export const answers: readonly Captured[] = [
  [
    'link-dump',
    'ip -d link show',
    'ip link add xcbr0 index 5 address 00:00:00:01:00:fa group 7 up type bridge group_fwd_mask 0x4000',
    'ip link add a0 index 7 address 02:00:00:00:00:01 master xcbr0 type veth peer name b0 index 8 address 02:00:00:00:00:02',
    'ip link set dev a0 up alias "to the left"',
    'ip link property add dev a0 altname left',
  ],
  [
    'address-dump',
    'ip address show',
    'ip address add 172.30.0.3 peer 172.30.0.2/32 dev lo',
    'ip address add fd00::1/64 dev lo nodad',
  ],
  [
    'route-dump',
    'ip route show table all',
    'ip link set lo up',
    'ip address add 192.168.1.1/24 dev lo',
    'ip route add default table 300 nexthop via 192.168.1.201 dev lo nexthop via 192.168.1.202 dev lo weight 3',
    'ip link add a0 type veth peer name b0',
    'ip link set a0 up',
    'ip route add 10.9.0.0/16 via inet6 fe80::1 dev a0',
  ],
]
