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
export const hookNames = [...new Set<string>([...hooks, ...deviceHooks])]
/** The point at which packets pass a base chain. `ingress` and `egress` need devices. */
export type Hook = (typeof hooks)[number] | (typeof deviceHooks)[number]

/** The hooks of a family's tables, in the order of NF_INET_*, NF_BR_*; of NF_NETDEV_* for `netdev`. */
export const hooksOf = (family: Family): readonly Hook[] => (family === 'netdev' ? deviceHooks : hooks)

export function hookNumber(family: Family, hook: Hook): number {
  return hooksOf(family).indexOf(hook)
}

export function hookOf(family: Family, number: number): Hook {
  return (hooksOf(family)[number] ?? `${number}`) as Hook
}

const priorities = { raw: -300, mangle: -150, dstnat: -100, filter: 0, security: 50, srcnat: 100 } as const
const bridgePriorities = { dstnat: -300, filter: -200, out: 100, srcnat: 300 } as const
/** The order of base chains at one hook: lower numbers come first. The names are those of nft(8). */
export type Priority = number | keyof typeof priorities | keyof typeof bridgePriorities

const prioritiesOf = (family: Family): Readonly<Record<string, number>> =>
  family === 'bridge' ? bridgePriorities : priorities

/** What is wrong with a priority that {@link priorityNumber} does not know. */
export const noPriority = (family: Family, priority: unknown): string =>
  `tables of family ${family} have no priority ${priority}: it is a number, or one of ${Object.keys(prioritiesOf(family)).join(', ')}`

export function priorityNumber(family: Family, priority: Priority): number | undefined {
  if (typeof priority === 'number') return priority
  const names = prioritiesOf(family)
  return Object.hasOwn(names, priority) ? names[priority] : undefined
}

/** IP protocols by their IANA names. */
const protocols = { icmp: 1, tcp: 6, udp: 17, gre: 47, esp: 50, icmpv6: 58, sctp: 132 } as const
export type Protocol = number | keyof typeof protocols

export const protocolNumbers: Readonly<Record<string, number>> = protocols

export function protocolName(number: number): string {
  return Object.entries(protocols).find(([, each]) => each === number)?.[0] ?? `protocol ${number}`
}
