import type { Captured } from './commands.ts'

const cable = 'ip link add a0 index 7 type veth peer name b0'

/** Tunnels. A kernel that lacks the kind is asked, and refuses. */
export const tunnelCommands: readonly Captured[] = [
  [
    'geneve-add',
    'ip link add gn0 type geneve id 42 remote 10.0.0.2 ttl 9 tos 4 dstport 6082 noudpcsum df set',
  ],
  ['geneve-add-6', 'ip link add gn0 type geneve id 42 remote fd00::2 flowlabel 0x77 udp6zerocsumtx'],
  ['geneve-external', 'ip link add gn0 type geneve external'],
  [
    'gre-add',
    'ip link add gre9 type gre remote 10.0.0.2 local 10.0.0.1 dev a0 ttl 64 key 7 ocsum iseq',
    cable,
  ],
  ['gretap-add', 'ip link add gt9 type gretap remote 10.0.0.2 local 10.0.0.1 ttl 64 nopmtudisc ignore-df'],
  ['ip6gre-add', 'ip link add g69 type ip6gre remote fd00::2 local fd00::1 hoplimit 9 encaplimit 3'],
  ['gre-external', 'ip link add gre9 type gre external'],
  ['ipip-add', 'ip link add ii9 type ipip remote 10.0.0.2 local 10.0.0.1 ttl 64 fwmark 5'],
  [
    'sit-add',
    'ip link add st9 type sit remote 10.0.0.2 local 10.0.0.1 ttl 64 encap fou encap-sport 5555 encap-dport 5556',
  ],
  ['ip6tnl-add', 'ip link add i69 type ip6tnl mode ip6ip6 remote fd00::2 local fd00::1 hoplimit 9'],
  ['vti-add', 'ip link add vt9 type vti remote 10.0.0.2 local 10.0.0.1 key 5'],
  ['vti6-add', 'ip link add v69 type vti6 remote fd00::2 local fd00::1 ikey 5 okey 6'],
  ['wireguard-add', 'ip link add wg9 type wireguard'],
]
