import { NetlinkError, request } from '../../netlink/index.ts'
import type { Lack } from '../missing.ts'
import type { LinkRef, Operation } from '../operation.ts'
import { take } from '../takes.ts'
import * as wire from '../wire/index.ts'

/** VLANs of a bridge's port, or of the bridge itself. */
export interface VlanEntrySpec {
  /** The port; with `self`, the bridge. */
  readonly link: LinkRef
  /** 1–4094: one VLAN, or the first and the last of a range. */
  readonly vlan: number | readonly [first: number, last: number]
  /** Incoming frames without a tag belong to it. Only for one VLAN. */
  readonly pvid?: boolean
  /** Outgoing frames lose their tag. */
  readonly untagged?: boolean
  /** The bridge itself, as a member of its VLANs. Default: the port. */
  readonly self?: boolean
}

/** A VLAN that a port or a bridge is a member of. */
export interface VlanEntry {
  /** Index of the interface. */
  readonly link: number
  /** Its name, if the listing was asked for names. */
  readonly linkName?: string
  readonly vlan: number
  readonly pvid: boolean
  readonly untagged: boolean
}

/** net/bridge/br_private.h: without CONFIG_BRIDGE_VLAN_FILTERING, nbp_vlan_add() is EOPNOTSUPP. */
const filtering: Lack = {
  what: 'VLANs of bridges',
  code: 'LINK_KIND_MISSING',
  option: 'CONFIG_BRIDGE_VLAN_FILTERING',
  module: 'bridge',
  shows: ({ errnoName }) => errnoName === 'EOPNOTSUPP',
}

export function addVlan(spec: VlanEntrySpec): Operation {
  return operation(spec, { type: wire.RTM_SETLINK, op: 'add VLAN' })
}

export function removeVlan(spec: Omit<VlanEntrySpec, 'pvid' | 'untagged'>): Operation {
  return operation(spec, { type: wire.RTM_DELLINK, op: 'remove VLAN' })
}

function operation(spec: VlanEntrySpec, about: { type: number; op: string }): Operation {
  take(about.op, spec, 'VlanEntrySpec')
  const { link, self, vlan } = spec
  const vlans = infosOf(spec, about.op)
  const bridge = { flags: self ? wire.BRIDGE_FLAGS_SELF : undefined, vlans }
  const target = `${typeof vlan === 'number' ? vlan : vlan.join('-')} (${link})`
  return {
    refers: [link],
    lacks: [filtering],
    requests: names => [
      request(
        wire.portMessage,
        { family: wire.AF_BRIDGE, index: names.indexOf(link), attributes: { bridge } },
        { ...about, target },
      ),
    ],
  }
}

function infosOf({ link, vlan, pvid, untagged }: VlanEntrySpec, op: string): wire.VlanInfo[] {
  const flags = (pvid ? wire.BRIDGE_VLAN_INFO_PVID : 0) | (untagged ? wire.BRIDGE_VLAN_INFO_UNTAGGED : 0)
  if (typeof vlan === 'number') return [{ flags, vlan }]
  const [first, last] = vlan
  if (pvid || first > last)
    throw new NetlinkError({
      ...{ code: 'NETLINK_ENCODE', kind: 'usage', op, target: `${first}-${last} (${link})` },
      reason: pvid ? 'a range of VLANs cannot be the PVID' : 'the first VLAN of the range is above the last',
    })
  return [
    { flags: flags | wire.BRIDGE_VLAN_INFO_RANGE_BEGIN, vlan: first },
    { flags: flags | wire.BRIDGE_VLAN_INFO_RANGE_END, vlan: last },
  ]
}

/** The VLANs in a listed port, ranges written out. */
export function vlansOf({ index, attributes }: wire.PortMessage): VlanEntry[] {
  const entries: VlanEntry[] = []
  let first = 0
  for (const { flags, vlan } of attributes.bridge?.vlans ?? []) {
    if (flags & wire.BRIDGE_VLAN_INFO_RANGE_BEGIN) {
      first = vlan
      continue
    }
    const [pvid, untagged] = [
      (flags & wire.BRIDGE_VLAN_INFO_PVID) !== 0,
      (flags & wire.BRIDGE_VLAN_INFO_UNTAGGED) !== 0,
    ]
    const start = flags & wire.BRIDGE_VLAN_INFO_RANGE_END ? first : vlan
    for (let id = start; id <= vlan; id++) entries.push({ link: index, vlan: id, pvid, untagged })
  }
  return entries
}
