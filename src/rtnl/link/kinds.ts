import { addressBytes, addressText, macBytes, macText } from '../../base/index.ts'
import type { LinkRef, Names } from '../operation.ts'
import * as wire from '../wire/index.ts'
import { bondAttributes, bondRefers, bondSettings } from './bond.ts'
import { given, picked } from './given.ts'
import * as spec from './kind-spec.ts'
import {
  fragmenting,
  geneveAttributes,
  geneveSettings,
  isTunnel,
  tunnelAttributes,
  tunnelSettings,
} from './tunnels.ts'

type Info = NonNullable<wire.LinkAttributes['linkInfo']>

const { etherTypes, isolations } = spec

const numberOf = <T extends string>(choices: readonly T[], choice: T | undefined) =>
  choice === undefined ? undefined : choices.indexOf(choice)

/** The interfaces that the settings of a kind refer to. */
export function kindRefers({ vxlan, tunnel, bond }: spec.KindSettings): LinkRef[] {
  const under = [vxlan?.dev, tunnel?.dev].filter(dev => dev !== undefined)
  return bond ? [...under, ...bondRefers(bond)] : under
}

/** The kind that these settings belong to. */
export function kindOf(settings: spec.KindSettings & { readonly kind?: string }): string | undefined {
  const kinds = ['bridge', 'vxlan', 'macvlan', 'ipvlan', 'vlan', 'vrf', 'bond', 'geneve'] as const
  return settings.kind ?? kinds.find(kind => settings[kind] !== undefined)
}

/** IFLA_LINKINFO. The kind comes first, because it decides how the rest is read. */
export function kindInfo(kind: string, settings: spec.KindSettings, names: Names): Info {
  const { bridge, vxlan, macvlan, ipvlan, vlan, vrf, bond } = settings
  return {
    kind,
    bridge,
    vxlan: vxlan && vxlanAttributes(vxlan, names),
    [kind === 'macvtap' ? 'macvtap' : 'macvlan']: macvlan && macvlanAttributes(macvlan),
    ipvlan: ipvlan && {
      mode: numberOf(spec.ipvlanModes, ipvlan.mode),
      flags: numberOf(isolations, ipvlan.isolation),
    },
    vlan: vlan && vlanAttributes(vlan),
    vrf,
    bond: bond && bondAttributes(bond, names),
    geneve: settings.geneve && geneveAttributes(settings.geneve),
    ...(isTunnel(kind) && settings.tunnel && { [kind]: tunnelAttributes(settings.tunnel, kind, names) }),
    data: settings.data,
  }
}

function vxlanAttributes(settings: spec.VxlanSettings, names: Names): wire.VxlanAttributes {
  const { remote, local, dev, sourcePorts, dontFragment, ...same } = settings
  const there = remote === undefined ? undefined : addressBytes(remote)
  const here = local === undefined ? undefined : addressBytes(local)
  return {
    ...same,
    [there?.length === 16 ? 'group6' : 'group']: there,
    [here?.length === 16 ? 'local6' : 'local']: here,
    link: dev === undefined ? undefined : names.indexOf(dev),
    sourcePorts: sourcePorts && { first: sourcePorts[0], last: sourcePorts[1] },
    dontFragment: numberOf(fragmenting, dontFragment),
  }
}

const flagNames = Object.keys(spec.vlanFlags) as (keyof typeof spec.vlanFlags)[]

/** Only the flags in the mask change. */
function vlanAttributes({ id, protocol, ...settings }: spec.VlanSettings): Info['vlan'] {
  const given = flagNames.filter(name => settings[name] !== undefined)
  const bitsOf = (names: typeof given) => names.reduce((bits, name) => bits | spec.vlanFlags[name], 0)
  const flags = { flags: bitsOf(given.filter(name => settings[name])), mask: bitsOf(given) }
  return { id, protocol: protocol && etherTypes[protocol], flags: given.length > 0 ? flags : undefined }
}

function vlanSettings(id: number, { protocol, flags }: NonNullable<Info['vlan']>): spec.VlanSettings {
  const bits = flagNames.map(name => [name, ((flags?.flags ?? 0) & spec.vlanFlags[name]) !== 0])
  return {
    id,
    protocol: protocol === etherTypes['802.1ad'] ? '802.1ad' : '802.1Q',
    ...(flags && (Object.fromEntries(bits) as Partial<spec.VlanSettings>)),
  }
}

/** MACVLAN_MACADDR_*. */
const macChanges = { add: 0, remove: 1, flush: 2, set: 3 } as const

function sourceAttributes({ macs, addMac, removeMac }: spec.MacvlanSettings): Info['macvlan'] {
  const one = addMac ?? removeMac
  if (one !== undefined)
    return { macMode: addMac === undefined ? macChanges.remove : macChanges.add, mac: macBytes(one) }
  if (macs === undefined) return {}
  if (macs.length === 0) return { macMode: macChanges.flush }
  return { macMode: macChanges.set, macs: macs.map(macBytes) }
}

function macvlanAttributes(settings: spec.MacvlanSettings): Info['macvlan'] {
  const { mode, noPromiscuous, broadcastQueueLength, broadcastCutoff } = settings
  return {
    queueLength: broadcastQueueLength,
    broadcastCutoff,
    mode: mode && spec.macvlanModes[mode],
    flags: noPromiscuous === undefined ? undefined : noPromiscuous ? 1 : 0,
    ...sourceAttributes(settings),
  }
}

/** The settings of the link's kind. Numbers that have no name here are omitted. */
export function kindSettings(info: Info): spec.KindSettings {
  const { bridge, vxlan, ipvlan, vlan, vrf, bond } = info
  const macvlan = info.macvlan ?? info.macvtap
  return {
    ...(bridge && { bridge: picked(bridge, wire.bridgeSettingNames) }),
    ...(vxlan && { vxlan: vxlanSettings(vxlan) }),
    ...(macvlan && { macvlan: macvlanSettings(macvlan) }),
    ...(ipvlan && {
      ipvlan: given({
        mode: spec.ipvlanModes[ipvlan.mode ?? 0],
        isolation: isolations[ipvlan.flags ?? 0],
      }),
    }),
    ...(vlan?.id !== undefined && { vlan: vlanSettings(vlan.id, vlan) }),
    ...(vrf?.table !== undefined && { vrf: { table: vrf.table } }),
    ...(bond && { bond: bondSettings(bond) }),
    ...(info.geneve && { geneve: geneveSettings(info.geneve) }),
    ...tunnelOf(info),
    ...(info.data && { data: info.data }),
  }
}

const vxlanNames = [
  ...(['udpZeroChecksum6Tx', 'udpZeroChecksum6Rx', 'routeShortCircuit', 'ttlInherit'] as const),
  ...(['groupPolicy', 'genericProtocol', 'vniFilter', 'localBypass'] as const),
]

function tunnelOf(info: Info): spec.KindSettings {
  const { kind = '' } = info
  const attributes = isTunnel(kind) ? info[kind] : undefined
  return attributes ? { tunnel: tunnelSettings(attributes) } : {}
}

function vxlanSettings(attributes: wire.VxlanAttributes): spec.VxlanSettings {
  const { vni, port, ttl, tos, learning, ageingTime, limit, proxy, l2Miss, l3Miss, udpChecksum } = attributes
  const remote = attributes.group ?? attributes.group6
  const local = attributes.local ?? attributes.local6
  const { sourcePorts, link, external, dontFragment, label, ...rest } = attributes
  return given({
    ...{ vni, port, ttl, tos, learning, ageingTime, limit, proxy, l2Miss, l3Miss, udpChecksum, external },
    ...picked(rest, vxlanNames),
    label: label === 0 ? undefined : label,
    remote: remote && addressText(remote),
    local: local && addressText(local),
    dev: link === 0 ? undefined : link,
    sourcePorts: sourcePorts && ([sourcePorts.first, sourcePorts.last] as const),
    dontFragment: fragmenting[dontFragment ?? 0],
  })
}

function macvlanSettings({
  mode,
  flags = 0,
  ...lengths
}: NonNullable<Info['macvlan']>): spec.MacvlanSettings {
  const [word] = Object.entries(spec.macvlanModes).find(([, bit]) => bit === mode) ?? []
  return given({
    mode: word as keyof typeof spec.macvlanModes | undefined,
    noPromiscuous: (flags & 1) !== 0,
    broadcastQueueLength: lengths.queueLength,
    broadcastQueueLengthUsed: lengths.queueLengthUsed,
    broadcastCutoff: lengths.broadcastCutoff,
    macs: lengths.macs?.map(macText),
  })
}
