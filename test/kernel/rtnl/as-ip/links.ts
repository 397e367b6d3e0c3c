import type { Link } from '../../../../src/rtnl/index.ts'
import { given, type Shown } from './routes.ts'

const hex = (value: number | undefined) => (value === undefined ? undefined : `0x${value.toString(16)}`)
const snake = (name: string) => name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)

/** What ip calls the settings that have other names here. */
const words: Readonly<Record<string, string>> = {
  stp: 'stp_state',
  multicastEhtHostsLimit: '-',
  multicastEhtHosts: '-',
  multicastMaxGroups: '-',
  multicastGroups: '-',
  macAuthBypass: '-',
  neighbourVlanSuppress: '-',
  fdbMaxLearned: '-',
  fdbLearned: '-',
  fdbFlush: '-',
  mrpRingOpen: '-',
  mrpInOpen: '-',
  vlanStatistics: '-',
  vlanStatisticsPerPort: '-',
  multicastStatistics: 'mcast_stats_enabled',
  multicastQueryUseIfAddress: 'mcast_query_use_ifaddr',
  groupAddress: 'group_addr',
  number: 'no',
  fastLeave: 'fastleave',
  neighbourSuppress: 'neigh_suppress',
  broadcastFlood: 'bcast_flood',
  multicastRouter: '',
  nfCallIptables: 'nf_call_iptables',
  nfCallIp6tables: 'nf_call_ip6tables',
  nfCallArptables: 'nf_call_arptables',
}

const wordOf = (name: string) =>
  words[name] ||
  snake(name)
    .replace('multicast', 'mcast')
    .replace('count', 'cnt')
    .replace('interval', 'intvl')
    .replace('_to_unicast', '_to_ucast')

/** Settings by ip's names. `-` marks what iproute2 6.1 does not know. */
function named(settings: object, convert: (value: unknown) => unknown): Shown {
  const entries = Object.entries(settings).map(([name, value]) => [wordOf(name), convert(value)] as const)
  return Object.fromEntries(entries.filter(([name]) => name !== '-'))
}

const number = (value: unknown) => (typeof value === 'boolean' ? Number(value) : value)
/** Timers run between two listings. */
export const withoutTimers = (shown: Shown): Shown =>
  Object.fromEntries(Object.entries(shown).filter(([name]) => !name.endsWith('_timer')))

/** ip writes the parts of an Ethernet address here without leading zeros. */
const identity = (id: string | undefined) => id?.replaceAll(/([.:])0(?=[\da-f])/g, '$1')

function bridgeOf({ bridge, bridgeState }: Link): Shown {
  const { groupFwdMask, options, vlanProtocol: _, vlanDefaultPvid: __, ...same } = bridge ?? {}
  const bit = (at: number) => Number(((options?.value ?? 0) & (1 << at)) !== 0)
  return withoutTimers({
    ...named({ ...same, ...bridgeState }, number),
    bridge_id: identity(bridgeState?.bridgeId),
    root_id: identity(bridgeState?.rootId),
    group_fwd_mask: hex(groupFwdMask),
    no_linklocal_learn: bit(0),
    mcast_vlan_snooping: bit(1),
  })
}

const portStates = ['disabled', 'listening', 'learning', 'forwarding', 'blocking']

function portOf({ port, portState }: Link): Shown {
  const {
    state,
    groupFwdMask,
    multicastToUnicast,
    multicastRouter,
    flush: _,
    backupPort: __,
    backupNextHopId: ___,
    ...same
  } = port ?? {}
  const { id, number: no, topologyChangeAck, configPending, ...rest } = portState ?? {}
  return withoutTimers({
    ...named({ ...same, ...rest }, value => value),
    state: portStates[state ?? 0],
    mcast_to_unicast: multicastToUnicast,
    multicast_router: multicastRouter,
    bridge_id: identity(portState?.bridgeId),
    root_id: identity(portState?.rootId),
    ...{ id: hex(id), no: hex(no) },
    topology_change_ack: Number(topologyChangeAck),
    config_pending: Number(configPending),
    group_fwd_mask: groupFwdMask === 0 ? '0' : hex(groupFwdMask),
    group_fwd_mask_str: hex(groupFwdMask),
  })
}

function vxlanOf(link: Link, nameOf: (index: number) => string | undefined): Shown {
  const { remote, local, dev, sourcePorts, tos, label, vni, external, ...rest } = link.vxlan ?? {}
  const [remoteName, localName] = [
    remote?.includes(':') ? 'group6' : 'remote',
    local?.includes(':') ? 'local6' : 'local',
  ]
  const yes = (value: boolean | undefined) => value || undefined
  return given({
    id: vni ?? 0,
    ...(remote && { [remoteName]: remote }),
    ...(local && { [localName]: local }),
    link: typeof dev === 'number' ? nameOf(dev) : undefined,
    port_range: { low: sourcePorts?.[0], high: sourcePorts?.[1] },
    ...{ port: rest.port, ttl: rest.ttl, df: rest.dontFragment, ageing: rest.ageingTime },
    ...{ external: yes(external), vnifilter: yes(rest.vniFilter), gbp: yes(rest.groupPolicy) },
    ...{ learning: rest.learning, proxy: yes(rest.proxy), rsc: yes(rest.routeShortCircuit) },
    ...{ l2miss: yes(rest.l2Miss), l3miss: yes(rest.l3Miss), limit: rest.limit || undefined },
    tos: tos ? hex(tos) : undefined,
    label: hex(label),
    udp_csum: rest.udpChecksum,
    udp_zero_csum6_tx: rest.udpZeroChecksum6Tx,
    udp_zero_csum6_rx: rest.udpZeroChecksum6Rx,
  })
}

function tunOf({ tun }: Link): Shown {
  const { mode, packetInfo, vnetHeader, multiQueue, persistent, queues, disabledQueues } = tun ?? {}
  return given({
    ...{ type: mode, pi: packetInfo, vnet_hdr: vnetHeader, multi_queue: multiQueue, persist: persistent },
    ...{ numqueues: queues, numdisabled: disabledQueues, user: tun?.owner, group: tun?.ownerGroup },
  })
}

function infoOf(link: Link, nameOf: (index: number) => string | undefined): Shown {
  const { kind, portKind, macvlan } = link
  if (kind === undefined) return {}
  const data =
    kind === 'bridge'
      ? bridgeOf(link)
      : kind === 'vxlan'
        ? vxlanOf(link, nameOf)
        : kind === 'tun'
          ? tunOf(link)
          : macvlan && {
              mode: macvlan.mode,
              bcqueuelen: macvlan.broadcastQueueLength,
              usedbcqueuelen: macvlan.broadcastQueueLengthUsed,
            }
  return {
    linkinfo: given({
      info_kind: kind,
      info_data: data,
      info_slave_kind: portKind,
      info_slave_data: portKind === undefined ? undefined : portOf(link),
    }),
  }
}

const flagBits = { LOOPBACK: 0x8, BROADCAST: 0x2, POINTOPOINT: 0x10, MULTICAST: 0x1000, NOARP: 0x80 } as const
const moreBits = { ALLMULTI: 0x200, PROMISC: 0x100, UP: 0x1, LOWER_UP: 0x10000 } as const

/** What `ip -N -j -d link show` says about a link that this library lists with names. */
export function linkAsIp(link: Link, nameOf: (index: number) => string | undefined): Shown {
  const { flags, up } = link
  const names = Object.entries({ ...flagBits, ...moreBits }).filter(([, bit]) => flags & bit)
  const running = up && !(flags & 0x40) ? ['NO-CARRIER'] : []
  return given({
    ...{ ifindex: link.index, ifname: link.name, link: link.peerName, master: link.masterName },
    flags: [...running, ...names.map(([name]) => name)],
    ...{ mtu: link.mtu, qdisc: link.qdisc, operstate: link.operState.toUpperCase() },
    linkmode: link.linkMode === 1 ? 'DORMANT' : 'DEFAULT',
    ...{ group: `${link.group}`, txqlen: link.txQueueLength, link_type: `[${link.hardware}]` },
    ...{ address: link.mac, broadcast: link.broadcast, ifalias: link.alias },
    ...{ promiscuity: link.promiscuity, allmulti: link.allMulticity },
    ...{ min_mtu: link.minMtu, max_mtu: link.maxMtu ?? 0, inet6_addr_gen_mode: link.addrGenMode },
    ...{ num_tx_queues: link.txQueues, num_rx_queues: link.rxQueues },
    ...{ gso_max_size: link.gsoMaxSize, gso_max_segs: link.gsoMaxSegments, gro_max_size: link.groMaxSize },
    ...{ tso_max_size: link.tsoMaxSize, tso_max_segs: link.tsoMaxSegments },
    altnames: link.altNames.length > 0 ? link.altNames : undefined,
    ...infoOf(link, nameOf),
  })
}
