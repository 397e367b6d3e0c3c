import { unwatchFile, watchFile } from 'node:fs'
import { messageOf, settingText, XclusterError } from '../../base/index.ts'
import type { Dns, DnsOptions } from '../../dns/index.ts'
import type { ClusterPlan } from '../../plan/index.ts'
import { type Settings, subnetOf } from '../../plan/index.ts'
import { ClusterError } from '../errors.ts'
import { reportDomain } from './domain.ts'
import { ownNames } from './names.ts'
import { type ClusterDnsOptions, optionsOf } from './options.ts'

export type { ClusterDnsOptions } from './options.ts'

/** The port of the original xcluster; glibc's resolver can only ask port 53. */
const [ownPort, usualPort] = [10053, 53]
const loopback = '127.0.0.1'
const pollMs = 1000

/**
 * Opens the cluster's DNS forwarder. It listens in the guests' namespace, and sends to upstreams from this
 * process's namespace, so that an upstream can be a resolver on the machine's loopback. Undefined with `dns: 'off'`.
 */
export async function openClusterDns(
  plan: ClusterPlan,
  options: ClusterDnsOptions,
): Promise<Dns | undefined> {
  const { settings, fabric, scope } = options
  if (settings.dns === 'off') return undefined
  const { openDns } = await import('../../dns/index.ts')
  const open = async (listen: readonly string[]) => {
    const dns = scope.add(await openDns({ ...optionsOf(options), ...accessOf(plan, options), listen }))
    dns.setHosts(ownNames(plan, settings, fabric))
    reportDomain(options)
    if (settings.dnsHosts) reloadOnChange(settings.dnsHosts, dns, options)
    return dns
  }
  try {
    // A script may answer with QEMU's user network, whose host is this namespace's loopback.
    const more = fabric.custom ? [`${loopback}:${usualPort}`] : []
    return await (fabric.namespace ? open([...listenAddresses(plan), ...more]) : openOnLoopback(open))
  } catch (failure) {
    throw isTaken(failure) ? portTaken(failure, settings) : failure
  }
}

/** You can edit the hosts file of a running cluster: the forwarder reads it again. */
function reloadOnChange(file: string, dns: Dns, { notice, scope }: ClusterDnsOptions): void {
  // A reload also reopens the query log, which may fail.
  const changed = () => void dns.reload().catch(failure => notice(`DNS: ${messageOf(failure)}`))
  watchFile(file, { persistent: false, interval: pollMs }, changed)
  scope.defer(() => unwatchFile(file, changed))
}

/** Port 53 of the host's addresses on net 0, and port 10053 of all addresses, as in the original xcluster. */
export function listenAddresses({ bridges }: Pick<ClusterPlan, 'bridges'>): string[] {
  const { addresses = [] } = bridges.bridges.find(({ net }) => net === 0) ?? {}
  const texts = addresses.map(({ address }) => (address.includes(':') ? `[${address}]` : address))
  return [...texts.map(text => `${text}:${usualPort}`), `[::]:${ownPort}`]
}

/**
 * With a user-space network guests reach only the host's loopback. Other clusters may listen there, so another port
 * is taken when the usual one is in use.
 */
async function openOnLoopback(open: (listen: readonly string[]) => Promise<Dns>): Promise<Dns> {
  try {
    return await open([`${loopback}:${ownPort}`])
  } catch (failure) {
    if (!isTaken(failure)) throw failure
    return await open([`${loopback}:0`])
  }
}

function accessOf(
  { bridges, prefix }: ClusterPlan,
  { fabric }: ClusterDnsOptions,
): Pick<DnsOptions, 'namespace' | 'allow'> {
  if (!fabric.namespace) return {}
  const hostNets = bridges.bridges.filter(({ addresses }) => addresses.length > 0)
  const nets = hostNets.flatMap(({ net }) => Object.values(subnetOf(prefix, net)))
  // With an uplink the machine itself asks from its end of the link.
  const { ipv4, ipv6 } = fabric.uplink?.outside ?? {}
  const machine = [...(ipv4 ? [`${ipv4}/32`] : []), ...(ipv6 ? [`${ipv6}/128`] : [])]
  return { namespace: fabric.namespace, allow: [...nets, ...machine] }
}

function isTaken(failure: unknown): failure is XclusterError {
  return failure instanceof XclusterError && failure.code === 'DNS_PORT_TAKEN'
}

function portTaken(cause: XclusterError, { netns }: Settings): ClusterError {
  const server = netns ? `the DNS server in ${netns}` : 'the program that uses this port'
  const remedy = `Stop ${server}, or start without the cluster's forwarder: ${settingText('dns', 'off')}`
  const { op, target } = cause
  return new ClusterError({
    code: 'CLUSTER_DNS_TAKEN',
    kind: 'prerequisite',
    reason: cause.reason ?? messageOf(cause),
    ...(op !== undefined && { op }),
    ...(target !== undefined && { target }),
    remedy,
    cause,
  })
}
