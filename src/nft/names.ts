/** NFPROTO_* by nft's names for the families of tables. `inet` sees IPv4 and IPv6. */
export const families = { ip: 2, ip6: 10, inet: 1, bridge: 7, netdev: 5, arp: 3 } as const
export type Family = keyof typeof families

export function familyOf(number: number): Family {
  const found = Object.entries(families).find(([, each]) => each === number)
  return (found?.[0] ?? `${number}`) as Family
}

/** A table by family and name: `inet xcluster`. */
export interface TableRef {
  readonly family: Family
  readonly name: string
}

export const refText = ({ family, name }: TableRef): string => `${family} ${name}`

const hooks = ['prerouting', 'input', 'forward', 'output', 'postrouting', 'ingress'] as const
const deviceHooks = ['ingress', 'egress'] as const
/** The point at which packets pass a base chain. `ingress` and `egress` need devices. */
export type Hook = (typeof hooks)[number] | (typeof deviceHooks)[number]

/** NF_INET_*, NF_BR_*; NF_NETDEV_* for `netdev`. */
export function hookNumber(family: Family, hook: Hook): number {
  const names: readonly Hook[] = family === 'netdev' ? deviceHooks : hooks
  return names.indexOf(hook)
}

export function hookOf(family: Family, number: number): Hook {
  return ((family === 'netdev' ? deviceHooks : hooks)[number] ?? `${number}`) as Hook
}

const priorities = { raw: -300, mangle: -150, dstnat: -100, filter: 0, security: 50, srcnat: 100 } as const
const bridgePriorities = { dstnat: -300, filter: -200, out: 100, srcnat: 300 } as const
/** The order of base chains at one hook: lower numbers come first. The names are those of nft(8). */
export type Priority = number | keyof typeof priorities | keyof typeof bridgePriorities

export function priorityNumber(family: Family, priority: Priority): number | undefined {
  if (typeof priority === 'number') return priority
  const names: Readonly<Record<string, number>> = family === 'bridge' ? bridgePriorities : priorities
  return names[priority]
}

/** IP protocols by their IANA names. */
const protocols = { icmp: 1, tcp: 6, udp: 17, gre: 47, esp: 50, icmpv6: 58, sctp: 132 } as const
export type Protocol = number | keyof typeof protocols

export const protocolNumbers: Readonly<Record<string, number>> = protocols

export function protocolName(number: number): string {
  return Object.entries(protocols).find(([, each]) => each === number)?.[0] ?? `protocol ${number}`
}
