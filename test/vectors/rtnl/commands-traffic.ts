import type { Captured } from './commands.ts'

const cable = 'ip link add a0 index 7 type veth peer name b0'
const ifb = 'ip link add ifb7 index 9 type ifb'
const ingress = 'tc qdisc add dev a0 ingress'
const htb = 'tc qdisc add dev a0 root handle 1: htb default 10'

/** Traffic control. Queueing disciplines that the kernel lacks are sent, and refused. */
export const trafficCommands: readonly Captured[] = [
  ['tbf-add', 'tc qdisc add dev a0 root handle 1: tbf rate 8mbit burst 32000 latency 50ms', cable],
  [
    'tbf-limit',
    'tc qdisc replace dev a0 root tbf rate 1mbit burst 5kb limit 30000 peakrate 2mbit mtu 1540',
    cable,
  ],
  ['tbf-fast', 'tc qdisc add dev a0 root tbf rate 40gbit burst 1mb limit 3mb', cable],
  ['htb-add', 'tc qdisc add dev a0 root handle 1: htb default 10 r2q 5', cable],
  [
    'htb-class',
    'tc class add dev a0 parent 1: classid 1:10 htb rate 5mbit ceil 10mbit burst 15k cburst 20k prio 2 quantum 3000',
    cable,
    htb,
  ],
  ['htb-class-plain', 'tc class add dev a0 parent 1: classid 1:20 htb rate 5mbit', cable, htb],
  ['htb-class-fast', 'tc class add dev a0 parent 1: classid 1:20 htb rate 40gbit', cable, htb],
  [
    'htb-class-del',
    'tc class del dev a0 classid 1:10',
    cable,
    htb,
    'tc class add dev a0 parent 1: classid 1:10 htb rate 5mbit',
  ],
  ['netem-delay', 'tc qdisc add dev a0 root handle 10: netem delay 20ms 2ms 25%', cable],
  [
    'netem-all',
    'tc qdisc add dev a0 parent 1:10 netem limit 500 delay 10ms loss 1% 10% duplicate 2% corrupt 0.1% reorder 25% 50% gap 5 rate 1mbit 14 ecn',
    cable,
    htb,
    'tc class add dev a0 parent 1: classid 1:10 htb rate 5mbit',
  ],
  ['ingress-add', 'tc qdisc add dev a0 ingress', cable],
  ['clsact-add', 'tc qdisc add dev a0 clsact', cable],
  [
    'fq-codel-add',
    'tc qdisc add dev a0 root fq_codel limit 1000 flows 64 target 5ms interval 100ms quantum 1514 ecn',
    cable,
  ],
  ['pfifo-add', 'tc qdisc add dev a0 root pfifo limit 50', cable],
  ['bfifo-add', 'tc qdisc add dev a0 root bfifo limit 50000', cable],
  ['qdisc-del', 'tc qdisc del dev a0 root', cable, 'tc qdisc add dev a0 root pfifo limit 50'],
  ['ingress-del', 'tc qdisc del dev a0 ingress', cable, ingress],
  [
    'qdisc-change',
    'tc qdisc change dev a0 root handle 1: tbf rate 4mbit burst 32000 latency 50ms',
    cable,
    'tc qdisc add dev a0 root handle 1: tbf rate 8mbit burst 32000 latency 50ms',
  ],
  [
    'u32-redirect',
    'tc filter add dev a0 parent ffff: protocol all prio 10 u32 match u32 0 0 action mirred egress redirect dev ifb7',
    cable,
    ifb,
    ingress,
  ],
  [
    'u32-class',
    'tc filter add dev a0 parent 1: protocol ip prio 5 u32 match ip src 192.168.1.0/24 match ip dst 10.0.0.1/32 flowid 1:10',
    cable,
    htb,
  ],
  [
    'u32-class-6',
    'tc filter add dev a0 parent 1: protocol ipv6 prio 6 u32 match ip6 dst fd00::c0a8:0/112 flowid 1:10',
    cable,
    htb,
  ],
  [
    'matchall-mirror',
    'tc filter add dev a0 parent ffff: protocol all prio 10 matchall action mirred egress mirror dev ifb7',
    cable,
    ifb,
    ingress,
  ],
  ['filter-del', 'tc filter del dev a0 parent ffff: protocol all prio 10', cable, ingress],
]

const shaped = [
  cable,
  ifb,
  'ip link set dev ifb7 up',
  ingress,
  'tc filter add dev a0 parent ffff: protocol all prio 10 u32 match u32 0 0 action mirred egress redirect dev ifb7',
  'tc qdisc add dev ifb7 root handle 2: tbf rate 8mbit burst 32000 latency 50ms',
  htb,
  'tc class add dev a0 parent 1: classid 1:10 htb rate 5mbit ceil 10mbit',
  'tc qdisc add dev a0 parent 1:10 handle 20: pfifo limit 50',
  'tc filter add dev a0 parent 1: protocol ip prio 5 u32 match ip dst 10.0.0.1/32 flowid 1:10',
] as const

export const trafficAnswers: readonly Captured[] = [
  ['qdisc-dump', 'tc -s qdisc show', ...shaped],
  ['class-dump', 'tc -s class show dev a0', ...shaped],
  ['filter-dump', 'tc -s filter show dev a0 parent ffff:', ...shaped],
  ['filter-dump-class', 'tc -s filter show dev a0', ...shaped],
]
