#!/bin/sh
# A day with the original xcluster, in its words. It runs as it is; each command must succeed.
# DIR is a directory for its files, and USER has no namespace of number 1.
set -e
cd "$DIR"
refused() { if "$@"; then exit 1; fi; }

# The settings, as its Envsettings has them.
export __nvm=2 __nrouters=1 __ntesters=1
export __mem=128 __smp=1 __mem201=144
export __nets_router=0,1,2
export xcluster_PREFIX=1000::1
export XCLUSTER_NAME=day
printf '192.0.2.1 registry.example.org registry\n' >hosts
export __dns_spoof=$PWD/hosts
eval "$(xc env)"
test "$__nvm" = 2
test "$__mem201" = 144

# A network namespace for it, with one more bridge.
xc nsadd 1 --ipv4_base=172.31.0.0/24
export __netns=${USER}_xcluster1
xc br_setup 5
xc nsenter 1 -- ip -br link show xcbr5

# Start. A second start is refused, and says how to restart.
xc start --mtu=1500
refused xc start 2>again
grep -- '--restart' again
xc starts --restart --ntesters=1
xc status | grep vm-221

# Traffic, which is captured on the router.
xc tcpdump --start 201 eth1 eth2
xc exec 221 -- ping -c2 -W5 192.168.1.1
xc exec 1 -- ping -c2 -W5 1000::1:192.168.2.221
xc exec 1 -- getent ahostsv4 registry.example.org
xc exec 1 -- ping -c1 -W5 host
xc tcpdump --get 201 eth1 eth2
test "$(wc -c <vm-201-eth1.pcap)" -gt 500
test "$(wc -c <vm-201-eth2.pcap)" -gt 500

# More nodes, and fewer.
xc scaleout 3 202
xc exec 3 -- ip route show default | grep 192.168.1.202
xc exec 221 -- ping -c1 -W5 192.168.1.3
xc check
xc scalein 3 202
refused sh -c 'xc status | grep vm-003'

# A node that is switched off, and one that is reset.
xc stop_vm 2
xc status | grep 'vm-002 .*stopped'
refused xc exec 1 -- ping -c1 -W1 192.168.1.2
xc reset_vm 2 1
xc exec 1 -- ping -c1 -W5 192.168.1.2

# An overlay for a node that runs.
xc ovl new "$DIR/late"
echo late >late/default/etc/late
XCLUSTER_OVLPATH=$DIR xc inject --addr=root@192.168.1.1 late
test "$(xc rsh 1 cat /etc/late)" = late

# What a user keeps at hand.
xc completion bash >xc.bash
xc env --explain | grep __dns_hosts
xc watch --interval 0.2 | grep vm-221

xc stop
xc nsdel 1
echo 'the day is over'
