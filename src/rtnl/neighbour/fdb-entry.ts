import { addressBytes, addressText, macBytes, macText } from '../../base/index.ts'
import { NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, request } from '../../netlink/index.ts'
import { given } from '../link/given.ts'
import type { LinkRef, Operation } from '../operation.ts'
import { take } from '../takes.ts'
import * as wire from '../wire/index.ts'
import { fdbStates, fdbTables } from '../words.ts'
import { agesOf, type NeighbourAges } from './neighbour.ts'

/** An Ethernet address, and the port of a bridge or the peer of a vxlan that it is behind. */
export interface FdbSpec {
  /** The port of a bridge, the bridge itself, or a vxlan. */
  readonly link: LinkRef
  readonly mac: string
  /** The bridge's table (`master`), or the interface's own, which a vxlan has. Default: `self`. */
  readonly table?: keyof typeof fdbTables
  /** `permanent` (the bridge's own address), `static` (does not age) or `dynamic`. Default: `permanent`. */
  readonly state?: keyof typeof fdbStates
  readonly vlan?: number
  /** A vxlan's peer. The address 00:00:00:00:00:00 stands for all unknown addresses. */
  readonly remote?: string
  /** The peer's UDP port, where it differs from the vxlan's. */
  readonly port?: number
  readonly vni?: number
  /** The interface that leads to the peer. */
  readonly via?: LinkRef
  /** Learning does not move the entry to another port. */
  readonly sticky?: boolean
  /** The VNI that frames come from (a vxlan with `external`). */
  readonly sourceVni?: number
  /** A nexthop object of vxlan peers (`nextHops`), instead of `remote`. */
  readonly nextHopId?: number
  /** Added by other software (a routing daemon): it does not age. */
  readonly external?: boolean
  /** The origin of the entry (RTPROT_*). */
  readonly protocol?: number
}

/** An entry of a forwarding table. */
export interface FdbEntry extends Omit<FdbSpec, 'link' | 'via' | 'state'> {
  /** Index of the interface. */
  readonly link: number
  /** Its name, if the listing was asked for names. */
  readonly linkName?: string
  /** Index of the bridge, and its name. */
  readonly master?: number
  readonly masterName?: string
  readonly state: keyof typeof fdbStates
  readonly via?: number
  /** Added by other software (a routing daemon) or a switch's hardware. */
  readonly external: boolean
  /** A switch's hardware has it. */
  readonly offloaded: boolean
  /** A locked port does not forward for this address (MAB). */
  readonly locked: boolean
  readonly ages?: NeighbourAges
}

const verbs = {
  add: NLM_F_CREATE | NLM_F_EXCL,
  append: NLM_F_CREATE | NLM_F_APPEND,
  replace: NLM_F_CREATE | NLM_F_REPLACE,
} as const

export function setFdbEntry(spec: FdbSpec, verb: keyof typeof verbs): Operation {
  take(`${verb} forwarding entry`, spec, 'FdbSpec')
  const about = { type: wire.RTM_NEWNEIGH, flags: verbs[verb], op: `${verb} forwarding entry` }
  return operation(spec, about, fdbStates[spec.state ?? 'permanent'])
}

export function removeFdbEntry(spec: Omit<FdbSpec, 'state'>): Operation {
  const about = { type: wire.RTM_DELNEIGH, op: 'remove forwarding entry' }
  take(about.op, spec, 'FdbSpec')
  return operation(spec, about, fdbStates.permanent)
}

function operation(
  spec: FdbSpec,
  about: { type: number; flags?: number; op: string },
  state: number,
): Operation {
  const { link, table = 'self', sticky, external, via, remote } = spec
  const { vlan, port, vni, sourceVni, nextHopId, protocol } = spec
  const mac = macBytes(spec.mac)
  const destination = remote === undefined ? undefined : addressBytes(remote)
  const flags = fdbTables[table] | (sticky ? wire.NTF_STICKY : 0) | (external ? wire.NTF_EXT_LEARNED : 0)
  const numbers = { vlan, port, vni, sourceVni, nextHopId, protocol }
  return {
    refers: via === undefined ? [link] : [link, via],
    requests(names) {
      const outIndex = via === undefined ? undefined : names.indexOf(via)
      const attributes = { mac, destination, ...numbers, outIndex }
      const value = { family: wire.AF_BRIDGE, index: names.indexOf(link), state, flags, attributes }
      return [request(wire.neighbourMessage, value, { ...about, target: `${spec.mac} (${link})` })]
    },
  }
}

/** Converts the kernel's message; undefined when it is not a forwarding entry. */
export function fdbEntryOf({ family, index, state, flags, attributes }: wire.NeighbourMessage) {
  const { mac, master, destination, cache, extendedFlags = 0, ...rest } = attributes
  const { vlan, port, vni, sourceVni, nextHopId, protocol } = rest
  if (family !== wire.AF_BRIDGE || mac === undefined) return undefined
  const entry: FdbEntry = {
    link: index,
    mac: macText(mac),
    table: flags & wire.NTF_SELF ? 'self' : 'master',
    state: state & wire.NUD_PERMANENT ? 'permanent' : state & wire.NUD_NOARP ? 'static' : 'dynamic',
    sticky: (flags & wire.NTF_STICKY) !== 0,
    external: (flags & wire.NTF_EXT_LEARNED) !== 0,
    offloaded: (flags & wire.NTF_OFFLOADED) !== 0,
    locked: (extendedFlags & wire.NTF_EXT_LOCKED) !== 0,
    ...given({
      master,
      remote: destination && addressText(destination),
      ...{ vlan, port, vni, sourceVni, nextHopId, protocol },
      via: rest.outIndex,
      ages: cache && agesOf(cache),
    }),
  }
  return entry
}
