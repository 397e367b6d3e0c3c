#!/bin/sh
# __net_setup=bridge.sh: a tap on a Linux bridge for each interface, as xcluster makes it by itself.
# Its arguments are the numbers of a node and of a net. It runs every time the node's VM is started.
set -e
node=$1 net=$2
tap=t${net}_$node bridge=xcbr$net

# Bridges of nets that the host is on exist already (--host-nets).
if ! ip link show "$bridge" >/dev/null 2>&1; then
	ip link add "$bridge" mtu "$__mtu" type bridge
	ip link set "$bridge" up
fi
ip link show "$tap" >/dev/null 2>&1 || ip tuntap add "$tap" mode tap
ip link set "$tap" mtu "$__mtu" master "$bridge" up

mac=$(printf 00:00:00:01:%02x:%02x "$net" "$node")
echo "-netdev tap,id=net$net,ifname=$tap,script=no,downscript=no"
echo "-device virtio-net-pci,netdev=net$net,mac=$mac"
