import { addressBytes, addressText, parseCidr } from '../../base/index.ts'
import { NetlinkError, NLM_F_CREATE, NLM_F_EXCL, request } from '../../netlink/index.ts'
import { given } from '../link/given.ts'
import type { Operation } from '../operation.ts'
import { realmsFrom } from '../route/entry.ts'
import { realmBits } from '../route/requests.ts'
import type { Realms } from '../route/spec.ts'
import { take } from '../takes.ts'
import * as wire from '../wire/index.ts'
import { ruleActions as actions } from '../words.ts'

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
  /** The upper six bits of the type of service, 0–63, and its mask (Linux 6.14, mask 6.15). */
  readonly dscp?: number
  readonly dscpMask?: number
  /** IPv6 flow label, and its mask (Linux 6.14). */
  readonly flowLabel?: number
  readonly flowLabelMask?: number
  /** The key of the tunnel that a packet came through; a bigint above 2^53. */
  readonly tunnelId?: number | bigint
  /** IP protocol by number: 6 TCP, 17 UDP, 1 ICMP, 58 ICMPv6. */
  readonly ipProtocol?: number
  readonly sourcePorts?: Ports
  readonly destinationPorts?: Ports
  /** Masks of the ports, for one port each (Linux 6.15). */
  readonly sourcePortMask?: number
  readonly destinationPortMask?: number
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
  /** `lookup` in the table of the VRF that the packet belongs to, instead of `table`. */
  readonly l3mdev?: boolean
  /** Realms of matching packets, for `tc`. */
  readonly realms?: Realms
  /** The priority of the rule at which `goto` continues. */
  readonly goto?: number
  /** Ignores routes of the table with this prefix length or a shorter one: 0 for default routes. */
  readonly suppressPrefixLength?: number
  /** Ignores routes of the table over interfaces of this group. */
  readonly suppressGroup?: number
  /** The origin of the rule (RTPROT_*). */
  readonly protocol?: number
}

/** A routing policy rule. `rules.add` takes it as it is. */
export interface Rule extends RuleSpec {
  readonly family: 4 | 6
  readonly priority: number
  readonly action: RuleAction
  /** What is missing: the rule that `goto` names, or an interface of that name. It matches nothing until then. */
  readonly lacks?: readonly ('goto' | 'inDev' | 'outDev')[]
  /** The kernel does not remove it. */
  readonly permanent?: true
}

/** Adds a rule that does not exist. */
export function addRule(spec: RuleSpec): Operation {
  take('add rule', spec, 'RuleSpec')
  const flags = NLM_F_CREATE | NLM_F_EXCL
  return operation({ action: 'lookup', ...spec }, { type: wire.RTM_NEWRULE, flags, op: 'add rule' })
}

/** The kernel removes the first rule that matches every given field. */
export function removeRule(spec: RuleSpec): Operation {
  take('remove rule', spec, 'RuleSpec')
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

/** The fields that the wire has as they are. */
const same = [
  ...(['priority', 'mark', 'mask', 'goto', 'suppressPrefixLength', 'suppressGroup', 'protocol'] as const),
  ...(['ipProtocol', 'dscp', 'dscpMask', 'flowLabel', 'flowLabelMask'] as const),
  ...(['sourcePortMask', 'destinationPortMask'] as const),
]

function attributesOf(spec: RuleSpec): wire.RuleToWrite['attributes'] {
  const { table = 0, users, sourcePorts, destinationPorts, tunnelId, realms } = spec
  return {
    inName: spec.inDev,
    outName: spec.outDev,
    ...Object.fromEntries(same.map(name => [name, spec[name]])),
    sourcePorts: sourcePorts === undefined ? undefined : rangeOf(sourcePorts),
    destinationPorts: destinationPorts === undefined ? undefined : rangeOf(destinationPorts),
    uids: users && rangeOf(users),
    table: table > 255 ? table : undefined,
    l3mdev: spec.l3mdev ? 1 : undefined,
    tunnelId: tunnelId === undefined ? undefined : wide(tunnelId),
    flow: realms && realmBits(realms),
  }
}

/** A number that is not an integer stays one, and the writer refuses it by its name. */
const wide = (value: number | bigint) => (Number.isInteger(value) ? BigInt(value) : (value as bigint))

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
  const { attributes } = message
  const [action] = Object.entries(actions).find(([, number]) => number === message.action) ?? []
  if ((family !== wire.AF_INET && family !== wire.AF_INET6) || action === undefined) return undefined
  return {
    family: family === wire.AF_INET ? 4 : 6,
    priority: attributes.priority ?? 0,
    action: action as RuleAction,
    ...(action === 'lookup' && tableOf(message)),
    ...(tos && { tos }),
    ...(flags & wire.FIB_RULE_INVERT && { invert: true }),
    ...(flags & wire.FIB_RULE_PERMANENT && { permanent: true as const }),
    ...conditionsOf(message),
    ...lacksOf(flags),
  }
}

function tableOf({ table, attributes }: Pick<wire.RuleMessage, 'table' | 'attributes'>) {
  return attributes.l3mdev ? { l3mdev: true } : { table: attributes.table ?? table }
}

type Matching = Pick<wire.RuleMessage, 'sourceLength' | 'destinationLength' | 'attributes'>

function conditionsOf({ sourceLength, destinationLength, attributes }: Matching) {
  const { source, destination, uids, sourcePorts, destinationPorts, tunnelId, flow } = attributes
  return given({
    from: source && `${addressText(source)}/${sourceLength}`,
    to: destination && `${addressText(destination)}/${destinationLength}`,
    inDev: attributes.inName,
    outDev: attributes.outName,
    ...(Object.fromEntries(same.map(name => [name, attributes[name]])) as Pick<
      RuleSpec,
      (typeof same)[number]
    >),
    sourcePorts: sourcePorts && portsOf(sourcePorts),
    destinationPorts: destinationPorts && portsOf(destinationPorts),
    ...masksOf(attributes),
    users: uids && ([uids.first, uids.last] as const),
    suppressPrefixLength: some(attributes.suppressPrefixLength),
    suppressGroup: some(attributes.suppressGroup),
    tunnelId: tunnelId && (tunnelId > Number.MAX_SAFE_INTEGER ? tunnelId : Number(tunnelId)),
    realms: flow ? realmsFrom(flow) : undefined,
  })
}

const lackBits = {
  goto: wire.FIB_RULE_UNRESOLVED,
  inDev: wire.FIB_RULE_IIF_DETACHED,
  outDev: wire.FIB_RULE_OIF_DETACHED,
} as const

function lacksOf(flags: number): Pick<Rule, 'lacks'> {
  const lacks = Object.entries(lackBits).flatMap(([name, bit]) =>
    flags & bit ? [name as keyof typeof lackBits] : [],
  )
  return lacks.length > 0 ? { lacks } : {}
}

/** Each with the mask of all bits, which the kernel lists where none was given. */
const masks = {
  dscpMask: 0x3f,
  flowLabelMask: 0xfffff,
  sourcePortMask: 0xffff,
  destinationPortMask: 0xffff,
} as const

function masksOf(attributes: wire.RuleMessage['attributes']) {
  const narrow = Object.entries(masks).map(([name, all]) => {
    const mask = attributes[name as keyof typeof masks]
    return [name, mask === all ? undefined : mask] as const
  })
  return Object.fromEntries(narrow) as { [K in keyof typeof masks]: number | undefined }
}

const portsOf = ({ first, last }: { first: number; last: number }): Ports =>
  first === last ? first : [first, last]

/** The kernel uses -1 for "nothing is suppressed". */
const some = (value: number | undefined) => (value === -1 ? undefined : value)
