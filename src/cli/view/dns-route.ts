import type { Status } from '../../api/index.ts'
import { addressBytes } from '../../base/index.ts'
import { CliError } from '../errors.ts'

/** How this machine's resolver reaches a cluster's forwarder. */
export interface DnsRoute {
  readonly domain: string
  readonly address: string
  readonly port: number
  /** The link to the cluster's namespace, `xcluster0`. Absent in user space: the forwarder is on loopback. */
  readonly link?: string
  /** The domain, and the reverse zones of the cluster's nets. */
  readonly zones: readonly string[]
}

/** The forwarder's port on all addresses of the namespace. */
const everywhere = 10053

/** Throws DNS_OFF, NO_DOMAIN, and DNS_UNREACHABLE without a way from this machine to the forwarder. */
export function routeOf({ name, dns, fabric, uplink, nodes }: Status, domain: string | undefined): DnsRoute {
  if (!dns)
    throw refusal(name, {
      code: 'DNS_OFF',
      reason: 'it has no DNS forwarder',
      remedy: 'Start it without --dns off',
    })
  if (domain === undefined)
    throw refusal(name, {
      code: 'NO_DOMAIN',
      reason: 'it has no domain, and resolvers choose servers by domain',
      remedy: 'Start it with --domain lab.test',
    })
  const nets = nodes.flatMap(node => node.nets)
  const addresses = nets.flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6]).filter(address => address !== undefined)
  const zones = [domain, ...new Set(addresses.map(reverseZone))]
  if (fabric === 'user') return { domain, address: dns.address, port: dns.port, zones }
  if (!uplink)
    throw refusal(name, {
      code: 'DNS_UNREACHABLE',
      reason: 'this machine has no way into its network namespace',
      remedy:
        'Start it with --uplink, or ask from inside: nsenter --net=NETNS, with `netns` of xc status --json',
    })
  return { domain, address: uplink.inside.ipv4, port: everywhere, link: uplink.link, zones }
}

/** The lines that hand the domain to the resolvers of a machine. None of them is run. */
export function routeText(route: DnsRoute): string {
  return sections(route)
    .map(({ about, lines }) => [`# ${about}`, ...lines, ''].join('\n'))
    .join('\n')
}

function sections(route: DnsRoute): { about: string; lines: readonly string[] }[] {
  const { domain, address, port, link, zones } = route
  return [
    ...(link === undefined
      ? []
      : [{ about: 'systemd-resolved, until the cluster stops', lines: resolvectl(route) }]),
    {
      about: `systemd-resolved from version 258 on: /etc/systemd/dns-delegate.d/${domain}.dns-delegate`,
      lines: ['[Delegate]', `DNS=${address}:${port}`, `Domains=${zones.join(' ')}`],
    },
    {
      about: `dnsmasq, also NetworkManager's: /etc/NetworkManager/dnsmasq.d/${domain}.conf`,
      lines: [...zones.map(zone => `server=/${zone}/${address}#${port}`), `rebind-domain-ok=/${domain}/`],
    },
    { about: 'unbound', lines: unbound(route) },
    {
      about: 'xc dns',
      lines: [`xc dns ${zones.map(zone => `--zone ${zone}=${address}:${port}`).join(' ')}`],
    },
  ]
}

/** `~` makes a domain one to choose servers by, not one to search. */
export function resolvectl({ address, port, link = '', zones }: DnsRoute): string[] {
  return [
    `resolvectl dns ${link} ${address}:${port}`,
    `resolvectl domain ${link} ${zones.map(zone => `'~${zone}'`).join(' ')}`,
  ]
}

function unbound({ domain, address, port, zones }: DnsRoute): string[] {
  return [
    ...['server:', '  do-not-query-localhost: no', `  private-domain: "${domain}"`],
    // Such names are not signed. Names below `test` and `home.arpa`, and the reverse of private addresses, are unbound's
    // own, unless a zone of the name itself says otherwise: `nodefault` concerns the whole of its zone alone.
    ...zones.map(zone => `  domain-insecure: "${zone}"`),
    ...zones.map(zone => `  local-zone: "${zone}" transparent`),
    ...zones.flatMap(zone => ['forward-zone:', `  name: "${zone}"`, `  forward-addr: ${address}@${port}`]),
  ]
}

/** The reverse zone of an address's net, which is all but its last byte (RFC 1035 §3.5, RFC 3596 §2.5). */
function reverseZone(address: string): string {
  const bytes = addressBytes(address)
  const net = [...bytes.subarray(0, -1)].reverse()
  if (bytes.length === 4) return `${net.join('.')}.in-addr.arpa`
  return `${net.map(byte => `${(byte & 0xf).toString(16)}.${(byte >> 4).toString(16)}`).join('.')}.ip6.arpa`
}

function refusal(target: string, why: { code: string; reason: string; remedy: string }): CliError {
  return new CliError({ ...why, kind: 'prerequisite', op: 'route DNS to cluster', target })
}
