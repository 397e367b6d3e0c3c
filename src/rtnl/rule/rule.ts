import { addressBytes, addressText, parseCidr } from '../../base/index.ts'
import { NetlinkError, NLM_F_CREATE, NLM_F_EXCL, request } from '../../netlink/index.ts'
import { given } from '../link/kinds.ts'
import type { Operation } from '../operation.ts'
import * as wire from '../wire/index.ts'

/** FR_ACT_*: what a rule does with matching packets. */
const actions = {
  lookup: 1,
  goto: 2,
  nop: 3,
  blackhole: 6,
  unreachable: 7,
  prohibit: 8,
} as const
export type RuleAction = keyof typeof actions

/** One port, or the first and the last of a range. */
export type Ports = number | readonly [first: number, last: number]

/** The packets that a rule matches, and what it does with them. All given conditions must hold. */
export interface RuleSpec {
  /** Needed without `from` and `to`; IPv4 and IPv6 have separate rules. */
  readonly family?: 4 | 6
  /** `192.168.1.0/24`. */
  readonly from?: string
  readonly to?: string
  /** Packets that arrive on this interface; `lo` for those that this machine sends. */
  readonly inDev?: string
  /** Packets of sockets bound to this interface. */
  readonly outDev?: string
  /** The firewall mark, and its mask. Default mask: all bits. */
  readonly mark?: number
  readonly mask?: number
  /** Type of service: 0–255. */
  readonly tos?: number
  /** IP protocol by number: 6 TCP, 17 UDP, 1 ICMP, 58 ICMPv6. */
  readonly ipProtocol?: number
  readonly sourcePorts?: Ports
  readonly destinationPorts?: Ports
  /** Range of user ids of the sending sockets, first and last. */
  readonly users?: readonly [first: number, last: number]
  /** Matches all packets except those that meet the conditions. */
  readonly invert?: boolean
  /** Rules are evaluated from 0 upwards. Default: before every other rule except 0. */
  readonly priority?: number
  /** Default: `lookup`. */
  readonly action?: RuleAction
  /** The table for `lookup`: 254 main, 255 local. */
  readonly table?: number
  /** The priority of the rule at which `goto` continues. */
  readonly goto?: number
  /** Ignores routes of the table with this prefix length or a shorter one: 0 for default routes. */
  readonly suppressPrefixLength?: number
  /** Ignores routes of the table over interfaces of this group. */
  readonly suppressGroup?: number
  /** The origin of the rule (RTPROT_*). */
  readonly protocol?: number
}

/** A routing policy rule. */
export interface Rule extends RuleSpec {
  readonly family: 4 | 6
  readonly priority: number
  readonly action: RuleAction
}

/** Adds a rule that does not exist. */
export function addRule(spec: RuleSpec): Operation {
  const flags = NLM_F_CREATE | NLM_F_EXCL
  return operation({ action: 'lookup', ...spec }, { type: wire.RTM_NEWRULE, flags, op: 'add rule' })
}

/** The kernel removes the first rule that matches every given field. */
export function removeRule(spec: RuleSpec): Operation {
  return operation(spec, { type: wire.RTM_DELRULE, op: 'remove rule' })
}

function operation(spec: RuleSpec, about: { type: number; flags?: number; op: string }): Operation {
  const { action, table = 0, tos = 0 } = spec
  const [from, to] = [networkOf(spec.from), networkOf(spec.to)]
  const value: wire.RuleToWrite = {
    family: familyOf(about.op, spec),
    sourceLength: from?.prefix ?? 0,
    destinationLength: to?.prefix ?? 0,
    tos,
    table: table > 255 ? 0 : table,
    action: action ? actions[action] : 0,
    flags: spec.invert ? wire.FIB_RULE_INVERT : 0,
    attributes: { source: from?.bytes, destination: to?.bytes, ...attributesOf(spec) },
  }
  const written = request(wire.ruleMessage, value, { ...about, target: textOf(spec) })
  return { refers: [], requests: () => [written] }
}

function attributesOf(spec: RuleSpec): wire.RuleToWrite['attributes'] {
  const { priority, mark, mask, ipProtocol, goto, suppressPrefixLength, suppressGroup, protocol } = spec
  const { table = 0, users, sourcePorts, destinationPorts } = spec
  return {
    inName: spec.inDev,
    outName: spec.outDev,
    ...{ priority, mark, mask, goto, suppressPrefixLength, suppressGroup, protocol, ipProtocol },
    sourcePorts: sourcePorts === undefined ? undefined : rangeOf(sourcePorts),
    destinationPorts: destinationPorts === undefined ? undefined : rangeOf(destinationPorts),
    uids: users && rangeOf(users),
    table: table > 255 ? table : undefined,
  }
}

function rangeOf(ports: Ports): { first: number; last: number } {
  const [first, last] = typeof ports === 'number' ? [ports, ports] : ports
  return { first, last }
}

function networkOf(cidr: string | undefined): { bytes: Uint8Array; prefix: number } | undefined {
  if (cidr === undefined) return undefined
  const { address, prefix } = parseCidr(cidr)
  return { bytes: addressBytes(address), prefix }
}

function familyOf(op: string, spec: RuleSpec): number {
  const cidr = spec.from ?? spec.to
  if (cidr !== undefined) return cidr.includes(':') ? wire.AF_INET6 : wire.AF_INET
  if (spec.family !== undefined) return spec.family === 4 ? wire.AF_INET : wire.AF_INET6
  const reason = "a rule needs 'family', 'from' or 'to', to tell IPv4 from IPv6"
  throw new NetlinkError({ code: 'ROUTE_FAMILY', kind: 'usage', op, target: textOf(spec), reason })
}

/** `from 192.168.1.0/24 iif eth0 table 100`, in the syntax of `ip rule`. */
function textOf({ from, to, inDev, outDev, mark, table, priority }: RuleSpec): string {
  const words = { from, to, iif: inDev, oif: outDev, fwmark: mark, table, priority }
  return Object.entries(given(words)).flat().join(' ')
}

/** Converts the kernel's message; undefined for other families and unknown actions. */
export function ruleOf({ family, tos, flags, ...message }: wire.RuleMessage): Rule | undefined {
  const { source, destination, mark, mask, ...rest } = message.attributes
  const [action] = Object.entries(actions).find(([, number]) => number === message.action) ?? []
  if ((family !== wire.AF_INET && family !== wire.AF_INET6) || action === undefined) return undefined
  const { goto, ipProtocol, sourcePorts, destinationPorts, uids, protocol, suppressGroup } = rest
  const looks = action === 'lookup' ? { table: rest.table ?? message.table } : {}
  return {
    family: family === wire.AF_INET ? 4 : 6,
    priority: rest.priority ?? 0,
    action: action as RuleAction,
    ...looks,
    ...(tos && { tos }),
    ...(flags & wire.FIB_RULE_INVERT && { invert: true }),
    ...given({
      from: source && `${addressText(source)}/${message.sourceLength}`,
      to: destination && `${addressText(destination)}/${message.destinationLength}`,
      ...{ inDev: rest.inName, outDev: rest.outName, mark, mask, goto, ipProtocol, protocol },
      sourcePorts: sourcePorts && portsOf(sourcePorts),
      destinationPorts: destinationPorts && portsOf(destinationPorts),
      users: uids && ([uids.first, uids.last] as const),
      suppressPrefixLength: some(rest.suppressPrefixLength),
      suppressGroup: some(suppressGroup),
    }),
  }
}

const portsOf = ({ first, last }: { first: number; last: number }): Ports =>
  first === last ? first : [first, last]

/** The kernel uses -1 for "nothing is suppressed". */
const some = (value: number | undefined) => (value === -1 ? undefined : value)
