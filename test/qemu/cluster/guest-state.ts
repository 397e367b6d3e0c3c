import type { Cluster } from '../../../src/index.ts'

/**
 * Prints a guest's configuration with the guest's own tools. It leaves out the carrier of links, and the link-local
 * addresses that appear with it: the kernel takes up to a second for them.
 */
const script = `
export PATH=/sbin:/usr/sbin:/bin:/usr/bin
hostname; cat /etc/hostname /etc/hosts /etc/profile
for dev in lo eth0 eth1 eth2; do
  [ -e /sys/class/net/$dev ] && echo $dev $(cat /sys/class/net/$dev/address /sys/class/net/$dev/mtu)
done
/sbin/ip -br addr | sed 's/  *[A-Z][A-Z]*  */ /; s/fe80[^ ]*//; s/ *$//'
{ /sbin/ip -4 route; /sbin/ip -6 route; } | grep -v ^fe80 | sort; /sbin/ip -4 rule; /sbin/ip -6 rule
for name in ipv4/ip_forward ipv6/conf/all/forwarding ipv4/fib_multipath_hash_policy ipv6/fib_multipath_hash_policy; do
  echo $name $(cat /proc/sys/net/$name)
done
nft list ruleset
`

/** The output of the script on each node, by the node's id. */
export async function guestStates(cluster: Cluster): Promise<Record<number, string>> {
  const states = cluster.plan.nodes.map(async ({ id }) => {
    const { stdout } = await cluster.exec(id, ['/bin/sh'], { input: script })
    return [id, Buffer.from(stdout).toString()] as const
  })
  return Object.fromEntries(await Promise.all(states))
}

/** The standard output of a command on a node. Throws when the command fails. */
export async function said(cluster: Cluster, node: number, command: string): Promise<string> {
  const { status, stdout, stderr } = await cluster.exec(node, command)
  if (status !== 0) throw new Error(`${command} on ${node}: ${Buffer.from(stderr)}`)
  return Buffer.from(stdout).toString()
}
