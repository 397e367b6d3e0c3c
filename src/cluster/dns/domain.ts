import { settingText } from '../../base/index.ts'
import { type ClusterDnsOptions, optionsOf } from './options.ts'

/** What goes wrong with names in a domain that is reserved for something else. */
const reserved: Readonly<Record<string, string>> = {
  local: 'programs look for its names by multicast, not in the DNS (RFC 6762)',
  localhost: 'programs take its names for their own machine (RFC 6761)',
  invalid: 'many programs take its names as missing (RFC 6761)',
  onion: 'many programs refuse to look for its names (RFC 7686)',
  alt: 'its names are not for the DNS (RFC 9476)',
  arpa: 'it is for addresses and protocols (RFC 3172)',
}

/** Reserved for networks like this one, though public servers know it (RFC 8375). */
const home = 'home.arpa'

/** Why a domain is a bad choice, if its name alone shows it. */
function reservedReason(domain: string): string | undefined {
  if (domain === home || domain.endsWith(`.${home}`)) return undefined
  const top = domain.slice(domain.lastIndexOf('.') + 1)
  return Object.hasOwn(reserved, top) ? reserved[top] : undefined
}

/**
 * Says when the cluster's domain is reserved, or exists in the DNS: guests then do not see its other names. The
 * upstreams decide that, which know public suffixes, the domains of a site, and those in use today. Waits for nothing.
 */
export function reportDomain(options: ClusterDnsOptions): void {
  const { settings, notice, scope } = options
  const { domain } = settings
  if (domain === '' || settings.dnsZone.some(zone => zone.domain === domain)) return
  const remedy = `Choose another, such as lab.test: ${settingText('domain', 'lab.test')}`
  const reason = reservedReason(domain)
  if (reason !== undefined) {
    notice(`DNS: the domain ${domain} is reserved: ${reason}. ${remedy}`)
    return
  }
  if (domain === home || settings.dnsUpstream === 'off') return
  const ending = new AbortController()
  scope.defer(() => ending.abort())
  const { signal } = ending
  const asked = import('../../dns/index.ts').then(dns =>
    dns.existsUpstream(domain, { ...optionsOf(options), signal }),
  )
  const text = `DNS: the domain ${domain} exists outside too, and guests see only this cluster's names in it. ${remedy}`
  // It fails only when the cluster is closed meanwhile.
  asked.then(exists => exists && notice(text)).catch(() => {})
}
