import { unwatchFile, watchFile } from 'node:fs'
import { messageOf, type Scope, XclusterError } from '../../base/index.ts'
import type { Dns, DnsOptions } from '../../dns/index.ts'
import type { Fabric } from '../../net/index.ts'
import type { ClusterPlan } from '../../plan/index.ts'
import { type Settings, subnetOf } from '../../plan/index.ts'
import { ClusterError } from '../errors.ts'
import { ownNames } from './names.ts'

export interface ClusterDnsOptions {
  readonly settings: Settings
  readonly fabric: Pick<Fabric, 'namespace'>
  readonly notice: (text: string) => void
  /** Closes it. */
  readonly scope: Scope
}

/** The original's port; glibc only knows the other one. */
const [ownPort, usualPort] = [10053, 53]
const loopback = '127.0.0.1'
const lookEveryMs = 1000

/**
 * The cluster's forwarder: it listens where the guests are, and asks upstreams from where this process is, so that
 * a resolver on the machine's loopback will do. Undefined where the settings want none.
 */
export async function openClusterDns(plan: ClusterPlan, wish: ClusterDnsOptions): Promise<Dns | undefined> {
  const { settings, fabric, scope } = wish
  if (settings.dns === 'off') return undefined
  const { openDns } = await import('../../dns/index.ts')
  const open = async (listen: readonly string[]) => {
    const dns = scope.add(await openDns({ ...optionsOf(wish), ...accessOf(plan, wish), listen }))
    dns.setHosts(ownNames(plan, settings))
    if (settings.dnsHosts) follow(settings.dnsHosts, dns, wish)
    return dns
  }
  try {
    return await (fabric.namespace ? open(placesOf(plan)) : openOnLoopback(open))
  } catch (failure) {
    throw isTaken(failure) ? portTaken(failure, settings) : failure
  }
}

/** Whoever edits the hosts file of a cluster need not tell it. */
function follow(file: string, dns: Dns, { notice, scope }: ClusterDnsOptions): void {
  // Reloading opens the log again, too, and that may fail.
  const changed = () => void dns.reload().catch(failure => notice(`DNS: ${messageOf(failure)}`))
  watchFile(file, { persistent: false, interval: lookEveryMs }, changed)
  scope.defer(() => unwatchFile(file, changed))
}

/** Where the host is on net 0; and everywhere on the port that the original has, which is above all others. */
export function placesOf({ bridges }: Pick<ClusterPlan, 'bridges'>): string[] {
  const { addresses = [] } = bridges.bridges.find(({ net }) => net === 0) ?? {}
  const texts = addresses.map(({ address }) => (address.includes(':') ? `[${address}]` : address))
  return [...texts.map(text => `${text}:${usualPort}`), `[::]:${ownPort}`]
}

/** In user space the host's loopback is all that guests reach, and other clusters are there, too. */
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
  const allow = hostNets.flatMap(({ net }) => Object.values(subnetOf(prefix, net)))
  return { namespace: fabric.namespace, allow }
}

function optionsOf({ settings, notice }: ClusterDnsOptions): DnsOptions {
  const { dnsUpstream, dnsHosts, dnsLog } = settings
  const told = new Set<string>()
  return {
    ...(dnsUpstream !== 'on' && { upstreams: dnsUpstream === 'off' ? [] : dnsUpstream.split(',') }),
    ...(dnsHosts && { hostsFile: dnsHosts }),
    ...(dnsLog && { log: dnsLog }),
    // A second try at another port finds the same wrong with resolv.conf.
    notice: text => {
      if (!told.has(text)) notice(`DNS: ${text}`)
      told.add(text)
    },
  }
}

function isTaken(failure: unknown): failure is XclusterError {
  return failure instanceof XclusterError && failure.code === 'DNS_PORT_TAKEN'
}

function portTaken(cause: XclusterError, { netns }: Settings): ClusterError {
  const remedy = `End what answers DNS ${netns ? `in ${netns}` : 'there'}, or do without the cluster's own: --dns off`
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
