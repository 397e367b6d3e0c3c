import { macText } from '../../base/index.ts'
import * as wire from '../wire/index.ts'
import { addrGenModes } from '../words.ts'
import { type BondState, bondState } from './bond.ts'
import { given, picked } from './given.ts'
import type { KindSettings } from './kind-spec.ts'
import { kindSettings } from './kinds.ts'
import type { AddrGenMode, PortSettings } from './spec.ts'
import {
  type BridgeState,
  bridgeState,
  type LinkState,
  linkState,
  type PortState,
  portState,
  type TunState,
  tunState,
} from './state.ts'

/** RFC 2863 operational states, in the kernel's order (IF_OPER_*). */
const operStates = ['unknown', 'notpresent', 'down', 'lowerlayerdown', 'testing', 'dormant', 'up'] as const
export type OperState = (typeof operStates)[number]

/** An interface. */
export interface Link extends KindSettings, LinkState {
  readonly index: number
  readonly name: string
  /** `bridge`, `veth`, `tun` …; absent for hardware and `lo`. */
  readonly kind?: string
  readonly mac?: string
  readonly mtu: number
  /** Administratively up. `carrier` and `operState` say whether it works. */
  readonly up: boolean
  readonly carrier: boolean
  /** ARPHRD_*: 1 Ethernet, 772 loopback. */
  readonly hardware: number
  /** Receives every frame; every multicast frame. Resolves addresses. Sends multicast. */
  readonly promiscuous: boolean
  readonly allMulticast: boolean
  readonly arp: boolean
  readonly multicast: boolean
  readonly operState: OperState
  readonly group: number
  readonly txQueueLength: number
  /** Index of the bridge, bond or VRF that it is a port of. */
  readonly master?: number
  /** Its name, and that of `peer`, if the listing was asked for names. */
  readonly masterName?: string
  readonly peerName?: string
  /** Index of the peer (veth) or of the lower interface, in the namespace `peerNamespace` if that is given. */
  readonly peer?: number
  readonly peerNamespace?: number
  readonly alias?: string
  readonly altNames: readonly string[]
  readonly addrGenMode?: AddrGenMode
  readonly port?: PortSettings
  /** The kind of its master: `bridge`, `bond`, `vrf`. */
  readonly portKind?: string
  readonly portState?: PortState
  readonly bridgeState?: BridgeState
  readonly bondState?: BondState
  readonly tun?: TunState
  /** Counters since the interface was created. */
  readonly statistics?: wire.LinkStatistics
  /** All IFF_* bits. */
  readonly flags: number
}

/** Converts the kernel's message. */
export function linkOf({ index, flags, hardware, attributes }: wire.LinkMessage): Link {
  return {
    index,
    name: attributes.name ?? '',
    mtu: attributes.mtu ?? 0,
    up: (flags & wire.IFF_UP) !== 0,
    carrier: (flags & wire.IFF_LOWER_UP) !== 0,
    hardware,
    promiscuous: (flags & wire.IFF_PROMISC) !== 0,
    allMulticast: (flags & wire.IFF_ALLMULTI) !== 0,
    arp: (flags & wire.IFF_NOARP) === 0,
    multicast: (flags & wire.IFF_MULTICAST) !== 0,
    operState: operStates[attributes.operState ?? 0] ?? 'unknown',
    group: attributes.group ?? 0,
    txQueueLength: attributes.txQueueLength ?? 0,
    altNames: attributes.propertyList?.altNames ?? [],
    flags,
    ...linkState(attributes),
    ...detailsOf(attributes),
    ...(attributes.linkInfo && infoOf(attributes.linkInfo)),
  }
}

function detailsOf({ mac, master, link, alias, linkNamespaceId, families, statistics }: wire.LinkAttributes) {
  const mode = families?.ipv6?.addrGenMode
  return given({
    mac: mac && mac.length > 0 ? macText(mac) : undefined,
    master,
    peer: link,
    peerNamespace: linkNamespaceId,
    alias,
    addrGenMode: mode === undefined ? undefined : addrGenModes[mode],
    statistics,
  })
}

function infoOf(info: NonNullable<wire.LinkAttributes['linkInfo']>) {
  const { kind, slaveKind, port, bridge, bond, tun } = info
  return {
    ...kindSettings(info),
    ...given({
      kind,
      portKind: slaveKind,
      port: port && picked(port, wire.portSettingNames),
      portState: port && portState(port),
      bridgeState: bridge && bridgeState(bridge),
      bondState: bond && bondState(bond),
      tun: tun && tunState(tun),
    }),
  }
}
