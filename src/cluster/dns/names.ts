import type { Host, OwnHosts } from '../../dns/index.ts'
import type { ClusterPlan, NodePlan, Settings } from '../../plan/index.ts'
import { subnetOf } from '../../plan/index.ts'

/**
 * The names that the cluster's forwarder answers by itself: `vm-001` with its addresses on net 0, `vm-001.2` with
 * those on net 2, the reverse of both, and the names that the settings spoof. It never asks an upstream for them.
 */
export function ownNames(
  { nodes, bridges, prefix }: Pick<ClusterPlan, 'nodes' | 'bridges' | 'prefix'>,
  { dnsSpoof }: Pick<Settings, 'dnsSpoof'>,
): OwnHosts {
  const nets = bridges.bridges.map(({ net }) => subnetOf(prefix, net))
  return {
    // The first entry with an address is its reverse name: nodes' own names precede spoofed ones.
    hosts: [
      ...nodes.flatMap(namesOf),
      ...dnsSpoof.map(({ name, address }) => ({ name, addresses: [address] })),
    ],
    ours: /^vm-\d{3}(\.\d{1,3})?$/i,
    nets: nets.flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6]),
  }
}

function namesOf(node: NodePlan): Host[] {
  const { name, nets } = node
  const onNets = nets.map(({ net }) => ({ name: `${name}.${net}`, addresses: addressesOn(node, net) }))
  return [{ name, addresses: addressesOn(node, 0) }, ...onNets].filter(
    ({ addresses }) => addresses.length > 0,
  )
}

/** The addresses of its interface on that net or, when this is a port of a bridge, of the bridge. */
function addressesOn({ nets, setup }: NodePlan, wanted: number): string[] {
  const link = nets.find(({ net }) => net === wanted)
  const { ipv4, ipv6 } = setup.bridges.find(({ ports }) => link && ports.includes(link.dev)) ?? link ?? {}
  return [ipv4, ipv6].filter(address => address !== undefined)
}
