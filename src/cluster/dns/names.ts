import type { Host, OwnEntry, OwnHosts } from '../../dns/index.ts'
import type { Fabric } from '../../net/index.ts'
import type { ClusterPlan, NodePlan, OwnRecord, Settings } from '../../plan/index.ts'
import { everyNode, idOf, subnetOf } from '../../plan/index.ts'
import { addressesOf } from './askers.ts'

/**
 * The names that the cluster's forwarder answers by itself: `vm-001` with its addresses on net 0, `vm-001.2` with
 * those on net 2, both below the cluster's domain too, the reverse of all, and the names that the settings spoof. It
 * never asks an upstream for them.
 */
export function ownNames(
  plan: Pick<ClusterPlan, 'nodes' | 'elsewhere' | 'bridges' | 'prefix'>,
  { dnsSpoof, dnsRecord, domain }: Pick<Settings, 'dnsSpoof' | 'dnsRecord' | 'domain'>,
  fabric: Pick<Fabric, 'kind'> = { kind: 'bridge' },
): OwnHosts {
  const { bridges, prefix } = plan
  const nets = bridges.bridges.map(({ net }) => subnetOf(prefix, net))
  return {
    // The first entry with an address is its reverse name: full names precede short ones, and nodes' own names
    // precede spoofed ones.
    hosts: [
      ...everyNode(plan).flatMap(node => namesOf(node, domain)),
      ...dnsSpoof.map(({ name, address }) => ({ name, addresses: [address] })),
    ],
    records: dnsRecord.flatMap(record => entriesOf(record, { domain, plan: { bridges, prefix }, fabric })),
    ours: /^vm-\d{3}(\.\d{1,3})?$/i,
    nets: nets.flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6]),
    domains: domain === '' ? [] : [domain],
  }
}

/** In seconds: that of the forwarder for own names. */
export const usualTtl = 5

interface EntryContext {
  readonly domain: string
  readonly plan: Pick<ClusterPlan, 'bridges' | 'prefix'>
  readonly fabric: Pick<Fabric, 'kind'>
}

/** A record of a single label is in the domain too, as nodes' names are. */
function entriesOf({ nodes, ...record }: OwnRecord, { domain, plan, fabric }: EntryContext): OwnEntry[] {
  const askers =
    nodes &&
    addressesOf(
      nodes.map(node => idOf(node)!),
      plan,
      fabric,
    )
  const entry = { ...record, ...(askers && { askers }) }
  const isSingle = domain !== '' && /^[^.:]+$/.test(record.name)
  return isSingle ? [{ ...entry, name: `${record.name}.${domain}` }, entry] : [entry]
}

function namesOf(node: NodePlan, domain: string): Host[] {
  const { name, nets } = node
  const onNets = nets.map(({ net }) => ({ name: `${name}.${net}`, addresses: addressesOn(node, net) }))
  const short = [{ name, addresses: addressesOn(node, 0) }, ...onNets].filter(
    ({ addresses }) => addresses.length > 0,
  )
  const full = short.map(host => ({ ...host, name: `${host.name}.${domain}` }))
  return domain === '' ? short : [...full, ...short]
}

/** The addresses of its interface on that net or, when this is a port of a bridge, of the bridge. */
function addressesOn({ nets, setup }: NodePlan, wanted: number): string[] {
  const link = nets.find(({ net }) => net === wanted)
  const { ipv4, ipv6 } = setup.bridges.find(({ ports }) => link && ports.includes(link.dev)) ?? link ?? {}
  return [ipv4, ipv6].filter(address => address !== undefined)
}
