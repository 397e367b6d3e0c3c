#!/bin/sh
# __net_setup=ovs.sh: a port of an Open vSwitch for each interface, one switch a net. Its datapath is in user space, so
# no kernel module is needed. The daemons have to run in the cluster's namespace: the first call starts them, in
# $OVS_RUNDIR. They run until you stop them (kill $(cat $OVS_RUNDIR/*.pid)).
set -e
node=$1 net=$2
tap=t${net}_$node bridge=br$net
: "${OVS_RUNDIR:?must be a directory that only this cluster uses}"
export OVS_RUNDIR OVS_LOGDIR="$OVS_RUNDIR" OVS_DBDIR="$OVS_RUNDIR"
database=$OVS_RUNDIR/db.sock

if ! [ -S "$database" ]; then
	ovsdb-tool create "$OVS_RUNDIR/conf.db" /usr/share/openvswitch/vswitch.ovsschema
	ovsdb-server --remote="punix:$database" --detach --pidfile --log-file "$OVS_RUNDIR/conf.db" >/dev/null 2>&1
	ovs-vsctl --db="unix:$database" --no-wait init
	ovs-vswitchd --detach --pidfile --log-file "unix:$database" >/dev/null 2>&1
fi
vsctl() { ovs-vsctl --db="unix:$database" --timeout=15 "$@"; }

if ! vsctl br-exists "$bridge"; then
	vsctl add-br "$bridge" -- set bridge "$bridge" datapath_type=netdev
	ip link set "$bridge" mtu "$__mtu" up
	# Nets that the host is on (--host-nets) have a bridge for it: the switch's own port is attached to it.
	if ip link show "xcbr$net" >/dev/null 2>&1; then ip link set "$bridge" master "xcbr$net"; fi
fi
ip link show "$tap" >/dev/null 2>&1 || ip tuntap add "$tap" mode tap
ip link set "$tap" mtu "$__mtu" up
vsctl --may-exist add-port "$bridge" "$tap"

mac=$(printf 00:00:00:01:%02x:%02x "$net" "$node")
# The switch reads packets without offload information: guests have to compute checksums, so there is no vnet header.
echo "-netdev tap,id=net$net,ifname=$tap,script=no,downscript=no,vnet_hdr=off"
echo "-device virtio-net-pci,netdev=net$net,mac=$mac"
