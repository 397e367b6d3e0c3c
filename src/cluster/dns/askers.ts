import type { Dns } from '../../dns/index.ts'
import type { Fabric } from '../../net/index.ts'
import { type ClusterPlan, ipv4On, ipv6On } from '../../plan/index.ts'
import { ClusterError } from '../errors.ts'

/**
 * The addresses from which nodes ask: theirs on all nets. The nodes need not exist yet. Throws ASKER_UNKNOWN in user
 * space, where all guests ask from this machine's loopback.
 */
export function addressesOf(
  nodes: readonly number[],
  { bridges, prefix }: Pick<ClusterPlan, 'bridges' | 'prefix'>,
  { kind }: Pick<Fabric, 'kind'>,
): string[] {
  if (kind === 'user')
    throw new ClusterError({
      code: 'ASKER_UNKNOWN',
      kind: 'prerequisite',
      op: 'tell nodes apart by their DNS queries',
      reason: "in user space the queries of all guests come from this machine's loopback",
      remedy: "Leave the nodes out, or start the cluster with bridges: `fabric: 'bridge'`",
    })
  return nodes.flatMap(id => bridges.bridges.flatMap(({ net }) => [ipv4On(net, id), ipv6On(prefix, net, id)]))
}

/** The forwarder. Throws DNS_OFF when the cluster has none. */
export function forwarderOf(dns: Dns | undefined): Dns {
  if (dns) return dns
  throw new ClusterError({
    code: 'DNS_OFF',
    kind: 'prerequisite',
    op: 'use the DNS forwarder',
    reason: 'the cluster was started without one',
    remedy: "Start it with `dns: 'on'`",
  })
}
