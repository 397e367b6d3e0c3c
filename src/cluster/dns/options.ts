import type { Scope } from '../../base/index.ts'
import type { DnsOptions, Zone } from '../../dns/index.ts'
import type { Fabric } from '../../net/index.ts'
import type { Settings } from '../../plan/index.ts'

export interface ClusterDnsOptions {
  readonly settings: Settings
  readonly fabric: Pick<Fabric, 'namespace' | 'kind' | 'uplink' | 'custom'>
  readonly notice: (text: string) => void
  /** Closes the forwarder when it closes. */
  readonly scope: Scope
}

/** The options of a cluster's forwarder: its settings in the words of `xcluster/dns`. */
export function optionsOf({ settings, notice }: Pick<ClusterDnsOptions, 'settings' | 'notice'>): DnsOptions {
  const { dnsUpstream, dnsHosts, dnsLog, dnsPolicy, dnsMixedCase, dnsRebindProtection } = settings
  const reported = new Set<string>()
  return {
    ...(dnsUpstream !== 'on' && { upstreams: dnsUpstream === 'off' ? [] : dnsUpstream.split(',') }),
    ...(dnsHosts && { hostsFile: dnsHosts }),
    ...(dnsLog && { log: dnsLog }),
    ...(settings.dnsUpstreamCa && { upstreamCa: settings.dnsUpstreamCa }),
    zones: settings.dnsZone satisfies readonly Zone[],
    policy: dnsPolicy,
    mixedCase: dnsMixedCase === 'on',
    rebindProtection: dnsRebindProtection === 'on',
    ...(settings.dnsFilter !== 'off' && { filter: settings.dnsFilter }),
    ...(settings.dns64 !== 'off' && { dns64: settings.dns64 === 'on' ? {} : { prefix: settings.dns64 } }),
    // A second attempt, at another port, finds the same problems in resolv.conf: they are reported once.
    notice: text => {
      if (!reported.has(text)) notice(`DNS: ${text}`)
      reported.add(text)
    },
  }
}
