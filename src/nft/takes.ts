import { type Shape, shape, taker } from '../base/index.ts'
import { families, hookNames, protocolNumbers } from './names.ts'
import { types } from './types.ts'
import * as words from './words.ts'

/**
 * What the calls of this floor take, for callers without a compiler. The values of fields are checked by their types
 * (NFT_VALUE), and numbers and texts that go into a message by the wire's tables (NETLINK_ENCODE).
 */

const { text, number, flag } = shape
const any: Shape = () => undefined
const list = shape.list(any)
const family = shape.oneOf(Object.keys(families))
const table = shape.record({ family, name: text })
const named = { table, name: text }

const isType = (name: unknown): boolean => typeof name === 'string' && Object.hasOwn(types, name)
const type = shape.word(
  "a type of values such as 'ipv4_addr', or a list of several",
  value => isType(value) || (Array.isArray(value) && value.length > 0 && value.every(isType)),
)
const target = shape.word(
  "a type of values such as 'ipv4_addr', 'verdict', or a type of objects such as 'counter'",
  value => isType(value) || value === 'verdict' || isObjectType(value),
)

const hasField = (value: unknown): boolean =>
  (typeof value === 'object' || typeof value === 'function') && value !== null && 'field' in value
const field = shape.of('a field, such as match.ip.saddr', hasField)

const isStatement = (value: unknown): boolean =>
  typeof (value as { write?: unknown } | null | undefined)?.write === 'function'
const statement = shape.of('a statement, such as accept()', isStatement)
const statements = shape.list(statement)

const elementsOf = { table, name: text, type }
const setOptions = {
  comment: text,
  statements,
  timeoutMs: number,
  gcIntervalMs: number,
  size: number,
  policy: shape.oneOf(words.setPolicies),
}
const address = shape.of('an address, a range of addresses, or a map', isAddressOrMap)
const random = shape.word("true, false or 'fully'", value => typeof value === 'boolean' || value === 'fully')
const details = shape.list(shape.oneOf(Object.keys(words.logDetails)))
const port = shape.of('a port, or a range', isPort)

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A range of values of this JavaScript type. */
function isRange(value: unknown, of: 'number' | 'string'): boolean {
  const { from, to } = (isObject(value) ? value : {}) as { from?: unknown; to?: unknown }
  return typeof from === of && typeof to === of
}

function isPort(value: unknown): boolean {
  return typeof value === 'number' || isRange(value, 'number')
}

function isAddressOrMap(value: unknown): boolean {
  const isMap = typeof (value as { load?: unknown } | null | undefined)?.load === 'function'
  return typeof value === 'string' || isRange(value, 'string') || isMap
}

/** A verdict, of verdict maps. */
const isVerdict = (value: unknown): boolean => isObject(value) && 'verdict' in value

/** What a limit needs, as a statement and as an object. */
const rate = shape.record(
  { rate: number, per: shape.oneOf(Object.keys(words.timeUnits)) },
  { unit: shape.oneOf(words.rateUnits) },
)
const protocol = shape.word(`one of ${Object.keys(protocolNumbers).join(', ')}, or a number`, isProtocol)
const tracked = { family: shape.oneOf(words.trackedFamilies) }
/** The fields that each type of object needs. */
const objects: Readonly<Record<string, Shape>> = {
  counter: shape.record({}),
  quota: shape.record({ bytes: shape.bigint }),
  limit: rate,
  connlimit: shape.record({ count: number }),
  'ct helper': shape.record({ helper: text, protocol }, tracked),
  'ct timeout': shape.record({ protocol, policy: shape.record({}) }, tracked),
  'ct expectation': shape.record({ protocol, port: number, timeoutMs: number, size: number }, tracked),
  synproxy: shape.record({}),
  secmark: shape.record({ context: text }),
  tunnel: shape.record({}),
}
const objectType = shape.word(
  `one of ${Object.keys(objects).join(', ')}, or a number`,
  value => typeof value === 'number' || isObjectType(value),
)
const objectSpec: Shape = (value, at) => {
  const wrong = shape.record({ name: text, type: objectType }, { comment: text })(value, at)
  if (wrong !== undefined) return wrong
  const { type, data } = value as { type: string | number; data?: unknown }
  return typeof type === 'number' || data !== undefined
    ? shape.record({ data: shape.bytes })(value, at)
    : objects[type]!(value, at)
}

function isObjectType(value: unknown): boolean {
  return typeof value === 'string' && Object.hasOwn(objects, value)
}

function isProtocol(value: unknown): boolean {
  return typeof value === 'number' || (typeof value === 'string' && Object.hasOwn(protocolNumbers, value))
}

/** The first fault that any of them finds. */
function allOf(...shapes: readonly Shape[]): Shape {
  return (value, at) => {
    for (const each of shapes) {
      const wrong = each(value, at)
      if (wrong !== undefined) return wrong
    }
    return undefined
  }
}

/** By its name, or by the handle that the kernel gave it. */
function byHandle(fields: Readonly<Record<string, Shape>>): Shape {
  const given = shape.record(fields, { name: text, handle: shape.bigint })
  const byName = shape.record({ name: shape.of("a name; and there is no 'handle' either", isText) })
  return (value, at) => {
    const wrong = given(value, at)
    if (wrong !== undefined || (value as { handle?: unknown }).handle !== undefined) return wrong
    return byName(value, at)
  }
}

function isText(value: unknown): boolean {
  return typeof value === 'string'
}

/** Each with its key and value, as a pair or by name. */
const entry = shape.of('a pair of a key and a value, or { key, value }', value =>
  Array.isArray(value) ? value.length === 2 : isObject(value) && 'key' in value,
)
const entries = shape.list(entry)
const parts = shape.list(shape.record({ name: text }))
/** One that has no name here is listed by its number. */
const listedHook = shape.word(
  `one of ${hookNames.join(', ')}`,
  value => hookNames.includes(value as string) || /^\d+$/.test(value as string),
)
const chains = shape.list(
  shape.record({ name: text }, { hook: listedHook, policy: shape.oneOf(words.policies) }),
)
/** A listed type without a name here is a number. */
const orNumber =
  (named: Shape): Shape =>
  (value, at) =>
    typeof value === 'number' ? undefined : named(value, at)
const typeOrTarget: Shape = (value, at) => (Array.isArray(value) ? type(value, at) : target(value, at))
const sets = shape.list(shape.record({ name: text, type: orNumber(type) }, { to: orNumber(typeOrTarget) }))

const reasons = [...Object.keys(words.icmpx), 'tcp reset']

/** The shapes, by the type that they are of. */
const takes = {
  ...{ text, number, flag, field, statement, statements, list },
  Family: shape.of(
    Object.keys(families).join(', '),
    one => one === undefined || Object.hasOwn(families, one as string),
  ),
  TableRef: table,
  TableSpec: shape.record({ family, name: text }, { comment: text }),
  TableToRemove: byHandle({ family }),
  Table: shape.record(
    { family, name: text, chains, sets, objects: shape.list(objectSpec), flowtables: parts },
    { comment: text },
  ),
  ChainRef: shape.record(named),
  ChainSpec: shape.record(named, {
    ...{ comment: text, devices: shape.list(text), type: shape.oneOf(words.chainTypes), hook: text },
    policy: shape.oneOf(words.policies),
    priority: shape.of('a number or a name', value => typeof value === 'number' || typeof value === 'string'),
  }),
  ChainToRename: shape.record({ ...named, handle: shape.bigint }),
  ChainToRemove: byHandle({ table }),
  RuleSpec: shape.record(
    { table, chain: text, statements },
    { comment: text, after: shape.bigint, before: shape.bigint, handle: shape.bigint },
  ),
  RuleRef: shape.record({ table, chain: text, handle: shape.bigint }),
  NamedSet: shape.record(named),
  SetSpec: shape.record(elementsOf, { ...setOptions, elements: list }),
  MapSpec: shape.record({ ...elementsOf, to: target }, { ...setOptions, elements: entries }),
  SetElements: shape.record({ ...elementsOf, elements: list }),
  MapEntries: shape.record({ ...elementsOf, to: target, elements: entries }),
  ElementQuery: shape.record({ ...elementsOf, keys: list }),
  ObjectSpec: allOf(shape.record({ table }), objectSpec),
  ObjectToRemove: shape.record({ ...named, type: objectType }),
  FlowtableSpec: shape.record({ ...named, devices: shape.list(text) }),
  RemoveOptions: shape.options({ ifExists: flag }),
  ListFilter: shape.options({ family, table: text }),
  ObjectFilter: shape.options({ table, type: objectType }),
  RuleFilter: shape.options({ table, chain: text }),
  OpenOptions: shape.options({ namespace: shape.record({}), port: shape.record({}) }),
  Masquerade: shape.record({ table: text, outDev: text, sources: shape.list(text) }, { replace: flag }),
  counter: shape.options({ packets: shape.bigint, bytes: shape.bigint }),
  Quota: shape.record({ bytes: shape.bigint }, { used: shape.bigint }),
  ConnectionCount: shape.record({ count: number }),
  Rate: rate,
  NatOptions: shape.options({ port, random }),
  NatTarget: shape.record(
    { address },
    {
      port: shape.word(
        "a port, a range, or 'mapped'",
        value => value === 'mapped' || port(value, '') === undefined,
      ),
      random,
      version: shape.oneOf([4, 6]),
    },
  ),
  LogOptions: shape.options({
    ...{ prefix: text, group: number, level: shape.oneOf(words.logLevels) },
    details: (value, at) => (value === 'all' ? undefined : details(value, at)),
  }),
  QueueOptions: shape.record({
    to: shape.of('a number, a range of numbers, or a field', value => isPort(value) || hasField(value)),
  }),
  TproxyTarget: shape.record({}, { address: text, port: number }),
  CopyTarget: shape.record({}, { address: text, device: number }),
  ForwardTarget: shape.record({ device: number }, { address: text }),
  SynproxyOptions: shape.record({}, { mss: number, windowScale: number }),
  PacketElement: shape.record({ set: text, key: field }, { value: field, statements, timeoutMs: number }),
  Meter: shape.record({ name: text, key: field, statement }, { timeoutMs: number, size: number }),
  Assigned: shape.of(
    'a number, a field, or a map',
    value =>
      typeof value === 'number' ||
      hasField(value) ||
      typeof (value as { load?: unknown } | null)?.load === 'function',
  ),
  ObjectType: objectType,
  FamilyName: family,
  Mapped: shape.of(
    'a name, or a map',
    value => typeof value === 'string' || (isObject(value) && 'refer' in value),
  ),
  Verdict: shape.of('a verdict, such as accept()', isVerdict),
  Entries: shape.of("a list of pairs, or { set: 'name' }", isEntries),
  VerdictEntries: shape.of(
    "a list of pairs of a value and a verdict, or { set: 'name' }",
    value => isEntries(value) && (!Array.isArray(value) || value.every(([, verdict]) => isVerdict(verdict))),
  ),
  RejectReason: shape.word(
    `one of ${reasons.join(', ')}, { icmp: … } or { icmpv6: … }`,
    value => reasons.includes(value as string) || isReason(value),
  ),
  Direction: shape.word(
    `one of ${words.directions.join(', ')}`,
    value => value === undefined || (words.directions as readonly unknown[]).includes(value),
  ),
  NumgenMode: shape.oneOf(words.numgenModes),
  Expressions: shape.list(shape.record({ kind: text })),
  Hash: shape.record({ modulus: number }),
  FibParts: shape.list(shape.oneOf(['saddr', 'daddr', 'mark', 'iif', 'oif'])),
  FibResult: shape.oneOf(['type', 'oif', 'oifname', 'exists']),
  Written: shape.of('a value, a field, or a map', isWritten),
  MaxSegment: shape.word("a number, or 'route'", value => typeof value === 'number' || value === 'route'),
  Match: shape.of(
    'a match, such as match.tcp.dport(22)',
    value => typeof (value as { not?: unknown } | null)?.not === 'function',
  ),
  Expression: shape.record({ kind: text }),
} as const satisfies Readonly<Record<string, Shape>>

function isWritten(value: unknown): boolean {
  const isMap = typeof (value as { load?: unknown } | null | undefined)?.load === 'function'
  return typeof value === 'string' || typeof value === 'number' || hasField(value) || isMap
}

function isEntries(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(pair => Array.isArray(pair) && pair.length === 2)
  return isObject(value) && typeof (value as { set?: unknown }).set === 'string'
}

function isReason(value: unknown): boolean {
  const [entry, ...more] = isObject(value) ? Object.entries(value) : []
  return (
    entry !== undefined && more.length === 0 && /^icmp(v6)?$/.test(entry[0]) && typeof entry[1] === 'string'
  )
}

/** The argument, if it is what `wanted` names. Throws BAD_ARGUMENT. */
export const take = taker(takes)
