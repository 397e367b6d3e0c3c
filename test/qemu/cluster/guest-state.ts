import type { Cluster } from '../../../src/index.ts'

/**
 * Everything that makes a guest the node that it is, as its own tools print it. Not whether its links have noticed
 * their carrier, and the link-local addresses that come with that: the kernel takes up to a second for it.
 */
const script = `
export PATH=/sbin:/usr/sbin:/bin:/usr/bin
hostname; cat /etc/hostname /etc/hosts /etc/profile
for dev in lo eth0 eth1 eth2; do
  [ -e /sys/class/net/$dev ] && echo $dev $(cat /sys/class/net/$dev/address /sys/class/net/$dev/mtu)
done
/sbin/ip -br addr | sed 's/ [A-Z]* / /; s/fe80[^ ]*//'
{ /sbin/ip -4 route; /sbin/ip -6 route; } | grep -v ^fe80 | sort; /sbin/ip -4 rule; /sbin/ip -6 rule
for name in ipv4/ip_forward ipv6/conf/all/forwarding ipv4/fib_multipath_hash_policy ipv6/fib_multipath_hash_policy; do
  echo $name $(cat /proc/sys/net/$name)
done
nft list ruleset
`

/** What the script says on each node, by its id. */
export async function guestStates(cluster: Cluster): Promise<Record<number, string>> {
  const states = cluster.plan.nodes.map(async ({ id }) => {
    const { stdout } = await cluster.exec(id, ['/bin/sh'], { input: script })
    return [id, Buffer.from(stdout).toString()] as const
  })
  return Object.fromEntries(await Promise.all(states))
}

/** What a command says on a node; throws when it fails. */
export async function said(cluster: Cluster, node: number, command: string): Promise<string> {
  const { status, stdout, stderr } = await cluster.exec(node, command)
  if (status !== 0) throw new Error(`${command} on ${node}: ${Buffer.from(stderr)}`)
  return Buffer.from(stdout).toString()
}
