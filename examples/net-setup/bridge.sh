#!/bin/sh
# __net_setup=bridge.sh: a tap on a Linux bridge for each interface, the same network that xcluster makes by
# itself. It is called with the numbers of a node and of a net, each time the node's VM starts.
set -e
node=$1 net=$2
tap=t${net}_$node bridge=xcbr$net

# The bridges of nets that the host is on exist already (--host-nets).
if ! ip link show "$bridge" >/dev/null 2>&1; then
	ip link add "$bridge" mtu "$__mtu" type bridge
	ip link set "$bridge" up
fi
ip link show "$tap" >/dev/null 2>&1 || ip tuntap add "$tap" mode tap
ip link set "$tap" mtu "$__mtu" master "$bridge" up

mac=$(printf 00:00:00:01:%02x:%02x "$net" "$node")
echo "-netdev tap,id=net$net,ifname=$tap,script=no,downscript=no"
echo "-device virtio-net-pci,netdev=net$net,mac=$mac"
