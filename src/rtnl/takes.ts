import { printable, type Shape, shape, taker } from '../base/index.ts'
import { bondWords } from './link/bond.ts'
import * as kinds from './link/kind-spec.ts'
import { fragmenting, tunnelKinds } from './link/tunnels.ts'
import { segmentModes } from './route/encap.ts'
import { metricNames } from './route/metrics.ts'
import { preferences, routeTypes } from './route/spec.ts'
import { verdicts } from './traffic/actions.ts'
import { qdiscKinds } from './traffic/options-write.ts'
import * as words from './words.ts'

/**
 * What the calls of this floor take, for callers without a compiler. Only what is used above the wire is here: the
 * wire's own table checks every number and text that goes into a message (NETLINK_ENCODE).
 */

const { text, number, flag } = shape
/** One of the words of a table. */
const word = (table: object | readonly string[]): Shape =>
  shape.oneOf(Array.isArray(table) ? table : Object.keys(table))

const isLinkRef = (value: unknown): boolean => typeof value === 'string' || typeof value === 'number'
/** An interface by its name or its index. */
const link = shape.of('the name of an interface, or its index', isLinkRef)
const linkOrNull = shape.of(
  'the name of an interface, its index, or null',
  one => one === null || isLinkRef(one),
)
const family = shape.oneOf([4, 6])
const namespace = shape.of(
  'a NetNamespace',
  value => typeof (value as { fd?: unknown } | null)?.fd === 'number',
)
const texts = shape.list(text)
const pair = shape.of('a list of two numbers', isPair)
const portsShape = shape.of('a number, or a list of two', value => typeof value === 'number' || isPair(value))
const any: Shape = () => undefined

function isPair(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && value.every(one => typeof one === 'number')
}

const named = { names: any }
/** The fields that each type of encapsulation has. */
const encaps: Readonly<Record<string, Shape>> = {
  mpls: shape.record({ labels: shape.list(number) }),
  ip: shape.record({}, { to: text, from: text }),
  ip6: shape.record({}, { to: text, from: text }),
  seg6: shape.record({ mode: word(segmentModes), segments: texts }),
}
const encapType = shape.word(
  `one of ${Object.keys(encaps).join(', ')}, or a number`,
  type => typeof type === 'number' || (typeof type === 'string' && Object.hasOwn(encaps, type)),
)
const encap: Shape = (value, at) => {
  const wrong = shape.record({ type: encapType })(value, at)
  if (wrong !== undefined) return wrong
  const { type } = value as { type: string | number }
  return typeof type === 'number' ? shape.record({ bytes: shape.bytes })(value, at) : encaps[type]!(value, at)
}
const realms = shape.record({}, { from: number, to: number })
const routeType = shape.oneOf(routeTypes)
const preference = word(preferences)
const hop = { via: text, dev: link, realms, encap }

const kindSettings = {
  bridge: shape.record({}),
  vxlan: shape.record(
    {},
    { remote: text, local: text, dev: link, sourcePorts: pair, dontFragment: word(fragmenting) },
  ),
  macvlan: shape.record({}, { mode: word(kinds.macvlanModes), macs: texts, addMac: text, removeMac: text }),
  ipvlan: shape.record({}, { mode: word(kinds.ipvlanModes), isolation: word(kinds.isolations) }),
  vlan: shape.record({ id: number }, { protocol: word(kinds.etherTypes) }),
  vrf: shape.record({ table: number }),
  bond: shape.record(
    {},
    {
      ...{ arpTargets: texts, nsTargets: texts, activeSlave: link, primary: link, adActorSystem: text },
      ...Object.fromEntries(Object.entries(bondWords).map(([name, each]) => [name, word(each)])),
    },
  ),
  geneve: shape.record({}, { remote: text, dontFragment: word(fragmenting) }),
  tunnel: shape.record({}, { remote: text, local: text, dev: link }),
  data: shape.bytes,
}

const linkSettings = {
  ...{
    mac: text,
    mtu: number,
    master: linkOrNull,
    alias: text,
    namespace,
    addrGenMode: word(words.addrGenModes),
  },
  ...kindSettings,
}
const peer = shape.record({ name: text }, { mac: text, namespace, index: number })

/** The kinds of links that each field with settings is for. */
const kindsOf: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(Object.keys(kindSettings).map(name => [name, [name]])),
  macvlan: ['macvlan', 'macvtap'],
  tunnel: tunnelKinds,
}

const kindFields = Object.keys(kindsOf)
type LinkLike = { readonly kind?: string; readonly [field: string]: unknown }

/** Settings of another kind would be read as this one's, or left out. */
function ofOneKind(link: Shape): Shape {
  return (value, at) => {
    const wrong = link(value, at)
    if (wrong !== undefined) return wrong
    const spec = value as LinkLike
    const given = kindFields.filter(name => spec[name] !== undefined)
    const [name = ''] = given
    if (name === '') return undefined
    if (given.length > 1) return `${given.join(' and ')} are settings of different kinds of links`
    const { kind } = spec
    if (kind === undefined)
      return name === 'tunnel' || name === 'data' ? `kind is absent, and ${name} needs it` : undefined
    if (name === 'data' || kindsOf[name]!.includes(kind)) return undefined
    return `kind is '${printable(kind, 40)}', and ${name} has settings of ${kindsOf[name]!.join(', ')}`
  }
}

/** A field that this kind of filter does not have would be left out, and it would match more packets. */
function matching(filter: Shape): Shape {
  return (value, at) => {
    const wrong = filter(value, at)
    if (wrong !== undefined) return wrong
    const spec = value as FilterLike
    const kind = spec.kind ?? (spec.match === undefined ? 'u32' : 'flower')
    const known: readonly string[] = words.filterKinds[kind]
    const odd = matches.find(name => spec[name] !== undefined && !known.includes(name))
    return odd && `${odd} is given, and filters of kind '${kind}' do not have it`
  }
}
const matches = ['from', 'to', 'keys', 'match'] as const
type FilterLike = { readonly [K in (typeof matches)[number]]?: unknown } & {
  readonly kind?: keyof typeof words.filterKinds
}

const redNumbers = ['min', 'max', 'probability', 'averagePacket', 'burst', 'averageLog']
/** What is converted before it goes to the wire. */
const qdiscNumbers = [
  ...[
    'rate',
    'burst',
    'latency',
    'limit',
    'peakRate',
    'mtu',
    'delay',
    'jitter',
    'loss',
    'duplicate',
    'corrupt',
  ],
  ...['reorder', 'overhead', 'delayCorrelation', 'lossCorrelation', 'duplicateCorrelation'],
  ...['corruptCorrelation', 'reorderCorrelation', 'maxRate', 'lowRateThreshold', 'buckets', 'bands'],
]
const numbers = (names: readonly string[]) => Object.fromEntries(names.map(name => [name, number]))

const sfqRed = shape.record({ limit: number }, numbers(redNumbers))
const where = { link, parent: text }

/** The shapes, by the type that they are of. */
const takes = {
  link,
  LinkSpec: ofOneKind(
    shape.record({ name: text, kind: text }, { ...linkSettings, link, index: number, peer }),
  ),
  LinkChange: ofOneKind(
    shape.record(
      {},
      { ...linkSettings, name: text, index: number, newName: text, kind: text, port: shape.record({}) },
    ),
  ),
  LinkFilter: shape.options({ master: link, kind: text, ...named }),
  AddressSpec: shape.record(
    { link, address: text, prefix: number },
    { peer: text, broadcast: text, anycast: text, label: text },
  ),
  AddressFilter: shape.options({ link, family, ...named }),
  RouteSpec: shape.record(
    { destination: text },
    {
      ...hop,
      family,
      type: routeType,
      preference,
      locked: shape.list(word(metricNames)),
      source: text,
      from: text,
      ways: shape.list(shape.record({}, hop)),
    },
  ),
  RouteFilter: shape.options({ family, dev: link, destination: text, via: text, type: routeType, ...named }),
  Lookup: shape.options({ from: text, inDev: link, outDev: link }),
  RuleSpec: shape.record(
    {},
    {
      ...{ family, from: text, to: text, inDev: text, outDev: text, action: word(words.ruleActions), realms },
      ...{ sourcePorts: portsShape, destinationPorts: portsShape, users: pair },
    },
  ),
  RuleFilter: shape.options({ family }),
  NeighbourSpec: shape.record({ link, address: text }, { mac: text, state: word(words.neighbourStates) }),
  NeighbourFilter: shape.options({ link, family, ...named }),
  FdbSpec: shape.record(
    { link, mac: text },
    { table: word(words.fdbTables), state: word(words.fdbStates), remote: text, via: link },
  ),
  FdbFilter: shape.options({ bridge: link, link, ...named }),
  NextHopObjectSpec: shape.record(
    {},
    {
      ...{ via: text, dev: link, encap },
      resilient: shape.record({}, numbers(['idleTimer', 'unbalancedTimer'])),
      group: shape.list(shape.record({ id: number })),
    },
  ),
  NextHopFilter: shape.options({ dev: link, master: link, ...named }),
  QdiscSpec: shape.record(
    { kind: word(qdiscKinds), link },
    { parent: text, handle: text, map: shape.list(number), red: sfqRed, ...numbers(qdiscNumbers) },
  ),
  QdiscPlace: shape.record({ link }, { parent: text, handle: text }),
  QdiscFilter: shape.options({ link }),
  ClassSpec: shape.record(
    { link, id: text, rate: number },
    { parent: text, ...numbers(['ceil', 'burst', 'ceilBurst']) },
  ),
  ClassPlace: shape.record({ link, id: text }),
  FilterSpec: matching(
    shape.record(where, {
      ...{ kind: word(words.filterKinds), protocol: word(words.filterProtocols), priority: number },
      ...{ from: text, to: text, classId: text },
      keys: shape.list(shape.record({ offset: number, value: number, mask: number })),
      match: shape.record(
        {},
        { sourceMac: text, destinationMac: text, tunnel: shape.record({}, { from: text, to: text }) },
      ),
      police: shape.record(
        { rate: number, burst: number },
        { exceed: word(verdicts), conform: word(verdicts) },
      ),
      ...{ mirror: link, redirect: link, verdict: word(verdicts) },
    }),
  ),
  FilterPlace: shape.record(where, { protocol: word(words.filterProtocols), priority: number }),
  FilterFilter: shape.record({ link }, { parent: text }),
  VlanEntrySpec: shape.record({ link, vlan: portsShape }),
  VlanFilter: shape.options({ link, ...named }),
  OpenOptions: shape.options({ namespace, port: shape.record({}) }),
  /** Of the functions that make a LinkSpec. */
  object: shape.record({}),
  EventGroups: shape.list(
    shape.oneOf(['links', 'addresses', 'routes', 'rules', 'neighbours', 'traffic', 'nextHops']),
  ),
  namespace,
  texts,
  text,
  number,
  flag,
} as const satisfies Readonly<Record<string, Shape>>

/** The argument, if it is what `wanted` names. Throws BAD_ARGUMENT. */
export const take = taker(takes)
