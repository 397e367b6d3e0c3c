import { addressBytes, addressText, macBytes, macText } from '../../base/index.ts'
import type { LinkRef, Names } from '../operation.ts'
import type * as wire from '../wire/index.ts'
import { given, picked } from './given.ts'

const bondModes = [
  ...(['balance-rr', 'active-backup', 'balance-xor', 'broadcast', '802.3ad'] as const),
  ...(['balance-tlb', 'balance-alb'] as const),
]

const hashPolicies = ['layer2', 'layer3+4', 'layer2+3', 'encap2+3', 'encap3+4', 'vlan+srcmac'] as const

/** The settings with words, in the order of their numbers (linux/if_bonding.h, ip-link(8)). */
const words = {
  mode: bondModes,
  transmitHashPolicy: hashPolicies,
  lacpRate: ['slow', 'fast'],
  failOverMac: ['none', 'active', 'follow'],
  arpValidate: ['none', 'active', 'backup', 'all', 'filter', 'filter_active', 'filter_backup'],
  arpAllTargets: ['any', 'all'],
  primaryReselect: ['always', 'better', 'failure'],
  adSelect: ['stable', 'bandwidth', 'count'],
} as const
type Words = { readonly [K in keyof typeof words]?: (typeof words)[K][number] }

/** `ip link … type bond …`. Times in milliseconds. */
export interface BondSettings extends Words {
  /** Interval of link monitoring. */
  readonly miimon?: number
  readonly upDelay?: number
  readonly downDelay?: number
  /** Between announcements after a failover. */
  readonly peerNotifyDelay?: number
  /** Asks the driver for the carrier instead of ethtool or MII. */
  readonly useCarrier?: boolean
  /** The port that carries the traffic, and the one that it prefers (active-backup, tlb, alb). */
  readonly activeSlave?: LinkRef
  readonly primary?: LinkRef
  /** Interval of monitoring by ARP, and the addresses that are asked: at most 16 of IPv4, and of IPv6. */
  readonly arpInterval?: number
  readonly arpTargets?: readonly string[]
  readonly nsTargets?: readonly string[]
  /** Answers that may be missing. */
  readonly missedMax?: number
  /** Announcements after a failover: IGMP reports; ARP and NA packets. */
  readonly resendIgmp?: number
  readonly peerNotifications?: number
  readonly allSlavesActive?: boolean
  readonly minLinks?: number
  /** Seconds between the packets that teach switches (tlb, alb). */
  readonly learningInterval?: number
  /** Packets that a port sends before it is the next one's turn (balance-rr). */
  readonly packetsPerSlave?: number
  readonly tlbDynamicLb?: boolean
  /** 802.3ad: sends LACPDUs unasked; the port key, the priority and the address of this system. */
  readonly lacpActive?: boolean
  readonly adUserPortKey?: number
  readonly adActorSystemPriority?: number
  readonly adActorSystem?: string
}

/** What 802.3ad has agreed on. */
export interface BondState {
  readonly aggregator?: number
  readonly ports?: number
  readonly actorKey?: number
  readonly partnerKey?: number
  readonly partnerMac?: string
}

const same = [
  ...([
    'miimon',
    'upDelay',
    'downDelay',
    'peerNotifyDelay',
    'arpInterval',
    'missedMax',
    'resendIgmp',
  ] as const),
  ...(['peerNotifications', 'minLinks', 'learningInterval', 'packetsPerSlave'] as const),
  ...(['adUserPortKey', 'adActorSystemPriority'] as const),
]
const flags = ['useCarrier', 'allSlavesActive', 'tlbDynamicLb', 'lacpActive'] as const
const links = ['activeSlave', 'primary'] as const

/** The interfaces that the settings refer to. */
export function bondRefers(bond: BondSettings): LinkRef[] {
  return links.flatMap(name => bond[name] ?? [])
}

function mapped<K extends string, V, T>(
  names: readonly K[],
  from: { readonly [N in K]?: V },
  to: (value: V, name: K) => T,
) {
  const found = names.flatMap(name => (from[name] === undefined ? [] : [[name, to(from[name] as V, name)]]))
  return Object.fromEntries(found) as { [N in K]?: T }
}

const wordNames = Object.keys(words) as (keyof typeof words)[]

export function bondAttributes(bond: BondSettings, names: Names): wire.BondAttributes {
  const { arpTargets, nsTargets, adActorSystem } = bond
  return {
    ...picked(bond, same),
    ...mapped(wordNames, bond as Record<keyof Words, string>, (word, name) =>
      (words[name] as readonly string[]).indexOf(word),
    ),
    ...mapped(flags, bond, Number),
    ...mapped(links, bond as Record<(typeof links)[number], LinkRef>, link => names.indexOf(link)),
    ...(arpTargets && { arpTargets: arpTargets.map(addressBytes) }),
    ...(nsTargets && { nsTargets: nsTargets.map(addressBytes) }),
    ...(adActorSystem !== undefined && { adActorSystem: macBytes(adActorSystem) }),
  }
}

/** Numbers that have no name here are omitted. */
export function bondSettings(attributes: wire.BondAttributes): BondSettings {
  const { arpTargets, nsTargets, adActorSystem } = attributes
  return given({
    ...picked(attributes, same),
    ...mapped(wordNames, attributes as Record<keyof Words, number>, (number, name) => words[name][number]),
    ...mapped(flags, attributes, number => number !== 0),
    ...mapped(links, attributes, index => index || undefined),
    arpTargets: arpTargets?.map(addressText),
    nsTargets: nsTargets?.map(addressText),
    adActorSystem: adActorSystem?.some(byte => byte !== 0) ? macText(adActorSystem) : undefined,
  }) as BondSettings
}

export function bondState({ adInfo }: wire.BondAttributes): BondState | undefined {
  if (adInfo === undefined) return undefined
  const { partnerMac, unknown: _, ...numbers } = adInfo
  return given({ ...numbers, partnerMac: partnerMac && macText(partnerMac) })
}

/** The words of each setting, for callers without a compiler. */
export const bondWords = words
