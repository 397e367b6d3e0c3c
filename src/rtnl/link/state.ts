import { macText } from '../../base/index.ts'
import {
  type BridgeAttributes,
  bridgeStateNames,
  type LinkAttributes,
  type PortAttributes,
  portStateNames,
} from '../wire/index.ts'
import { given, picked } from './given.ts'

/** What the kernel reports about an interface, beside its settings. */
export interface LinkState {
  /** The hardware address that all stations of the network receive. */
  readonly broadcast?: string
  /** The address that the hardware came with. */
  readonly permanentMac?: string
  /** The root queueing discipline. */
  readonly qdisc?: string
  readonly minMtu?: number
  /** Absent if there is no limit. */
  readonly maxMtu?: number
  readonly txQueues?: number
  readonly rxQueues?: number
  readonly gsoMaxSize?: number
  readonly gsoMaxSegments?: number
  readonly gsoIpv4MaxSize?: number
  readonly groMaxSize?: number
  readonly groIpv4MaxSize?: number
  readonly tsoMaxSize?: number
  readonly tsoMaxSegments?: number
  /** How many users want every frame, or every multicast frame: packet sockets, bridges, this setting. */
  readonly promiscuity?: number
  readonly allMulticity?: number
  /** How often the carrier went away or came back, and each of them. */
  readonly carrierChanges?: number
  readonly carrierUps?: number
  readonly carrierDowns?: number
  /** 1: the kernel waits for a supplicant before it says that the interface is up (dormant). */
  readonly linkMode?: number
  /** A protocol keeps the interface down. */
  readonly protoDown?: boolean
  /** The bus and the name of the device: `pci`, `0000:00:03.0`. */
  readonly parentBus?: string
  readonly parentDevice?: string
  /** Of a switch: its identity, and the port's identity and name. In hexadecimal. */
  readonly physicalSwitchId?: string
  readonly physicalPortId?: string
  readonly physicalPortName?: string
}

const counted = [
  ...(['qdisc', 'minMtu', 'txQueues', 'rxQueues', 'gsoMaxSize', 'gsoMaxSegments', 'gsoIpv4MaxSize'] as const),
  ...(['groMaxSize', 'groIpv4MaxSize', 'tsoMaxSize', 'tsoMaxSegments', 'promiscuity'] as const),
  ...(['carrierChanges', 'carrierUps', 'carrierDowns', 'linkMode', 'parentBus', 'parentDevice'] as const),
  'physicalPortName' as const,
]

export function linkState(attributes: LinkAttributes): LinkState {
  const { broadcast, permanentMac, maxMtu, protoDown, physicalSwitchId, physicalPortId } = attributes
  return given({
    ...picked(attributes, counted),
    broadcast: broadcast && broadcast.length > 0 ? macText(broadcast) : undefined,
    permanentMac: permanentMac && permanentMac.length > 0 ? macText(permanentMac) : undefined,
    maxMtu: maxMtu || undefined,
    allMulticity: attributes.allMulticast,
    protoDown: protoDown === undefined ? undefined : protoDown !== 0,
    physicalSwitchId: physicalSwitchId && hex(physicalSwitchId),
    physicalPortId: physicalPortId && hex(physicalPortId),
  })
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

type Texts<T> = { readonly [K in keyof T]?: T[K] extends Uint8Array | undefined ? string : T[K] }

/** The spanning tree and the timers of a bridge. Timers in hundredths of a second. */
export type BridgeState = Texts<Pick<BridgeAttributes, (typeof bridgeStateNames)[number]>>

/** The same of a bridge's port. */
export type PortState = Texts<Pick<PortAttributes, (typeof portStateNames)[number]>>

export function bridgeState(attributes: BridgeAttributes): BridgeState {
  const { rootId, bridgeId, groupAddress } = attributes
  return {
    ...picked(attributes, bridgeStateNames),
    ...identities({ rootId, bridgeId }),
    ...(groupAddress && { groupAddress: macText(groupAddress) }),
  } as BridgeState
}

export function portState(attributes: PortAttributes): PortState {
  const { rootId, bridgeId } = attributes
  return { ...picked(attributes, portStateNames), ...identities({ rootId, bridgeId }) } as PortState
}

/** `8000.00:00:00:01:00:fa`: the priority in hexadecimal and the Ethernet address. */
function identities(ids: { rootId: Uint8Array | undefined; bridgeId: Uint8Array | undefined }) {
  const texts = Object.entries(ids).map(([name, id]) => [
    name,
    id && `${hex(id.subarray(0, 2))}.${macText(id.subarray(2))}`,
  ])
  return given(Object.fromEntries(texts) as { rootId?: string; bridgeId?: string })
}

/** A tun or tap interface: what `/dev/net/tun` was asked for. */
export interface TunState {
  readonly mode: 'tun' | 'tap'
  /** User and group that may open it. */
  readonly owner?: number
  readonly ownerGroup?: number
  readonly packetInfo?: boolean
  readonly vnetHeader?: boolean
  readonly persistent?: boolean
  readonly multiQueue?: boolean
  readonly queues?: number
  readonly disabledQueues?: number
}

export function tunState(tun: NonNullable<NonNullable<LinkAttributes['linkInfo']>['tun']>): TunState {
  const { type, group, unknown: _, ...same } = tun
  return { mode: type === 1 ? 'tun' : 'tap', ...given({ ...same, ownerGroup: group }) }
}
