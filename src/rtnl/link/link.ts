import { macText } from '../../base/index.ts'
import { IFF_LOWER_UP, IFF_UP, type LinkMessage, type LinkStatistics } from '../wire/index.ts'
import type { KindSettings } from './kind-spec.ts'
import { kindSettings, known } from './kinds.ts'
import { addrGenModes } from './requests.ts'
import type { AddrGenMode, PortSettings } from './spec.ts'

/** RFC 2863 operational states, in the kernel's order (IF_OPER_*). */
const operStates = ['unknown', 'notpresent', 'down', 'lowerlayerdown', 'testing', 'dormant', 'up'] as const
export type OperState = (typeof operStates)[number]

/** An interface. */
export interface Link extends KindSettings {
  readonly index: number
  readonly name: string
  /** `bridge`, `veth`, `tun` …; absent for hardware and `lo`. */
  readonly kind?: string
  readonly mac?: string
  readonly mtu: number
  /** Administratively up. `carrier` and `operState` say whether it works. */
  readonly up: boolean
  readonly carrier: boolean
  readonly operState: OperState
  readonly group: number
  readonly txQueueLength: number
  /** Index of the bridge, bond or VRF that it is a port of. */
  readonly master?: number
  /** Index of the peer (veth) or of the lower interface, in the namespace `peerNamespace` if that is given. */
  readonly peer?: number
  readonly peerNamespace?: number
  readonly alias?: string
  readonly altNames: readonly string[]
  readonly addrGenMode?: AddrGenMode
  readonly port?: PortSettings
  /** Counters since the interface was created. */
  readonly statistics?: LinkStatistics
  /** All IFF_* bits. */
  readonly flags: number
}

/** Converts the kernel's message. */
export function linkOf({ index, flags, attributes }: LinkMessage): Link {
  const { mac, master, link, linkInfo, alias, linkNamespaceId, families, statistics } = attributes
  const mode = families?.ipv6?.addrGenMode
  return {
    index,
    name: attributes.name ?? '',
    mtu: attributes.mtu ?? 0,
    up: (flags & IFF_UP) !== 0,
    carrier: (flags & IFF_LOWER_UP) !== 0,
    operState: operStates[attributes.operState ?? 0] ?? 'unknown',
    group: attributes.group ?? 0,
    txQueueLength: attributes.txQueueLength ?? 0,
    altNames: attributes.propertyList?.altNames ?? [],
    flags,
    ...(mac && mac.length > 0 && { mac: macText(mac) }),
    ...(linkInfo?.kind !== undefined && { kind: linkInfo.kind }),
    ...(master !== undefined && { master }),
    ...(link !== undefined && { peer: link }),
    ...(linkNamespaceId !== undefined && { peerNamespace: linkNamespaceId }),
    ...(alias !== undefined && { alias }),
    ...(mode !== undefined && { addrGenMode: addrGenModes[mode] as AddrGenMode }),
    ...(linkInfo && kindSettings(linkInfo)),
    ...(statistics && { statistics }),
    ...(linkInfo?.port && { port: known(linkInfo.port) }),
  }
}
