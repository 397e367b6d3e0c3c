#!/bin/sh
# __net_setup=userspace.sh: QEMU's own user network and multicast segments, the way of the original xcluster.
# It needs no privileges and no bridges. Its arguments are the numbers of a node and of a net.
node=$1 net=$2
mac=$(printf 00:00:00:01:%02x:%02x "$net" "$node")
if [ "$net" -eq 0 ]; then
	telnet=$((${XCLUSTER_TELNET_BASE:-12000} + node)) ssh=$((${XCLUSTER_SSH_BASE:-12300} + node))
	echo "-netdev user,id=net0,net=192.168.0.0/24,host=192.168.0.250,\
hostfwd=tcp:127.0.0.1:$telnet-:23,hostfwd=tcp:127.0.0.1:$ssh-:22"
else
	echo "-netdev socket,id=net$net,mcast=224.0.0.$((${XCLUSTER_MCAST_BASE:-120} + net)):27030"
fi
echo "-device virtio-net-pci,netdev=net$net,mac=$mac"
