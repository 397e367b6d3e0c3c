/**
 * The work of the original's network overlay at boot, as a script for /etc/init.d: addresses on the nets
 * above 0, the nodes' routes through the routers, forwarding. It uses one `ip -batch`, as the guests here do,
 * and does not masquerade, for which routers here run nft: so the original is not slowed down needlessly.
 */
export const overlayScript = `#!/bin/busybox sh
read -r name </etc/hostname
node=\${name#vm-}
node=\${node#0} node=\${node#0}
addresses() {
	echo "link set $2 up
addr add 192.168.$1.$node/24 broadcast + dev $2
addr add fd00::192.168.$1.$node/120 dev $2 nodad"
}
if [ $node -gt 200 ]; then
	echo 1 >/proc/sys/net/ipv4/ip_forward
	echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
fi
{
	addresses 1 eth1
	if [ $node -gt 200 ]; then
		addresses 2 eth2
		echo "route replace default via 192.168.0.250
route replace default via fd00::192.168.0.250"
	else
		echo "route replace default nexthop via 192.168.1.201 nexthop via 192.168.1.202
route replace default nexthop via fd00::192.168.1.201 nexthop via fd00::192.168.1.202"
	fi
} | /sbin/ip -batch -
`
