import type { TunnelCounts } from '../../api/index.ts'
import { Scope } from '../../base/index.ts'
import { drop, match, not, openNft, setMark } from '../../nft/index.ts'
import { bridge, type Route } from '../../rtnl/index.ts'
import { longestRelayed, type NetNamespace, SysError, UdpRelay } from '../../sys/index.ts'
import { linkGroup } from '../bridge/fabric.ts'
import { portTaken } from './errors.ts'

/** The bridge without ports that leads to the addresses of the other hosts. */
const device = 'xcrelay'
/** Of packets to them; and the table that delivers these to the relay. */
const [mark, tableOfMarked] = [0x7863, 0x7863]
const largestMtu = 65_535

/** RFC 7348 §5: the header's bytes, and its flag I. */
const [vxlanHeader, hasVni] = [8, 0x08]
/** An Ethernet header, in bytes. */
const shortestFrame = 14

/** Headers of VXLAN and Ethernet before a packet in a datagram, with an 802.1Q tag: 8, 14 and 4 bytes. */
const withinDatagram = 26
/** VXLAN's headers around an untagged packet, with UDP and IP (RFC 7348 §5), in bytes. */
const around = (address: string) => 8 + 14 + 8 + (address.includes(':') ? 40 : 20)

/** The largest packet between hosts that a relay can make of what it is given: bytes of IP, as an MTU is. */
export function largestRelayed(address: string): number {
  return longestRelayed - withinDatagram + around(address)
}

/** An address in the namespace of a relay: link-local (RFC 3927), and none of WireGuard's. */
function relayAddress(rank: number): string {
  return `169.254.${101 + (rank >> 8)}.${rank & 255}`
}

/** This host's. */
const own = relayAddress(0)

export interface RelayOptions {
  /** Of the cluster. */
  readonly namespace: NetNamespace
  readonly inside: Route
  /** Of the host, which has the network between the hosts. Default: this process's. */
  readonly outside?: NetNamespace
  /** This host's address on that network. */
  readonly local: string
  /** Those of the other hosts. */
  readonly peers: readonly string[]
  /** The UDP port, of VXLAN in the namespace and of all hosts outside. */
  readonly port: number
  /** The VXLAN network identifiers of this host. */
  readonly vnis: readonly number[]
  /** How errors name this host. */
  readonly host: string
}

/** Carries VXLAN of a namespace whose kernel devices cannot reach the network between the hosts. */
export interface Relay extends AsyncDisposable {
  /** What VXLAN has here: this host's address, and no learning, which would learn its own port for other hosts. */
  readonly device: { readonly local: string; readonly learning: false; readonly udpChecksum: false }
  /** What VXLAN has in place of the address of another host, and of its port. */
  placeOf(peer: string): { readonly remote: string; readonly port: number }
  counts(): TunnelCounts
}

/**
 * The tunnel of a user who cannot have VXLAN's socket in the host's namespace: VXLAN stays in the cluster's, and this
 * process passes its datagrams on, unchanged, through an ordinary socket of the host. So the other hosts see VXLAN. In the
 * namespace each of them has an address. VXLAN would deliver a packet for a local address itself, or drop it
 * (`encap_bypass_if_local`, drivers/net/vxlan), so these are behind a bridge without ports, and packets to them are marked
 * on their way out and then routed to this process. That happens before they are segmented, once for up to 64 KiB.
 */
export async function openRelay(options: RelayOptions): Promise<Relay> {
  const { namespace, peers } = options
  const addresses = new Map(peers.map((peer, at) => [peer, relayAddress(at + 1)]))
  await using scope = new Scope()
  const relay = scope.add(carry(options, addresses))
  scope.add(await leadIn(namespace, { addresses, ports: [options.port, relay.ports[0]] }))
  await leadOut(options.inside, addresses)
  const open = scope.move()
  return {
    device: { local: own, learning: false, udpChecksum: false },
    placeOf: peer => ({ remote: addresses.get(peer)!, port: relay.ports[0] }),
    counts: () => countsOf(relay),
    [Symbol.asyncDispose]: () => open.close(),
  }
}

/** By the address outside. */
type Addresses = ReadonlyMap<string, string>

function carry(
  { namespace, outside, local, port, vnis, host }: RelayOptions,
  addresses: Addresses,
): UdpRelay {
  const known = new Set(vnis)
  try {
    return UdpRelay.open([
      {
        ...{ namespace, address: '::', port: 0, by: 'destination' },
        ways: Array.from(addresses, ([address, of]) => ({ of, to: { address, port } })),
      },
      {
        ...{ ...(outside && { namespace: outside }), address: local, port, by: 'sender' },
        passes: (bytes, at, length) => known.has(vniOf(bytes, at, length)),
        ways: Array.from(addresses, ([of, from]) => ({ of, to: { address: own, port }, from })),
      },
    ])
  } catch (failure) {
    const isTaken = failure instanceof SysError && failure.errnoName === 'EADDRINUSE'
    throw isTaken ? portTaken({ port, host, use: 'VXLAN' }, failure) : failure
  }
}

/** The network identifier of a datagram (RFC 7348 §5), or -1 where there is no frame in VXLAN. */
function vniOf(bytes: Uint8Array, at: number, length: number): number {
  const hasFrame = length >= vxlanHeader + shortestFrame && (bytes[at]! & hasVni) !== 0
  return hasFrame ? (bytes[at + 4]! << 16) | (bytes[at + 5]! << 8) | bytes[at + 6]! : -1
}

/** Packets to the other hosts come to the relay's socket. Nothing of guests does, which reach this namespace on net 0. */
async function leadIn(
  namespace: NetNamespace,
  {
    addresses,
    ports,
  }: { readonly addresses: Addresses; readonly ports: readonly [vxlan: number, relay: number] },
): Promise<AsyncDisposable> {
  const nft = openNft({ namespace })
  const table = { family: 'ip', name: 'xcluster_relay', owner: true } as const
  const filter = { table, type: 'filter', priority: 'filter' } as const
  const peer = match.ip.daddr(...addresses.values())
  try {
    await nft.transaction(({ tables, chains, rules }) => {
      tables.create(table)
      chains.add({ table, name: 'output', type: 'route', hook: 'output', priority: 'mangle' })
      chains.add({ ...filter, name: 'input', hook: 'input' })
      chains.add({ ...filter, name: 'forward', hook: 'forward' })
      const statements = [peer, match.udp.dport(ports[1]), setMark(mark)]
      rules.add({ table, chain: 'output', statements })
      const stranger = [not(match.iifname('lo')), match.udp.dport(...ports), drop()]
      rules.add({ table, chain: 'input', statements: stranger })
      rules.add({ table, chain: 'forward', statements: [match.oifname(device), drop()] })
    })
    return nft
  } catch (failure) {
    await nft.close()
    throw failure
  }
}

/** The ways to the other hosts, and the one that marked packets take. */
async function leadOut(inside: Route, addresses: Addresses): Promise<void> {
  await inside.batch(batch => {
    const { links, routes, rules } = batch
    const common = { name: device, group: linkGroup, mtu: largestMtu, addrGenMode: 'none' } as const
    links.add(bridge({ ...common, arp: false, up: true }))
    batch.addresses.add({ link: device, address: own, prefix: 32 })
    for (const address of addresses.values()) routes.add({ destination: `${address}/32`, dev: device })
    routes.add({ type: 'local', destination: '0.0.0.0/0', dev: 'lo', table: tableOfMarked })
    rules.add({ family: 4, mark, table: tableOfMarked })
  })
}

function countsOf({ counts: [sent, received] }: UdpRelay): TunnelCounts {
  return {
    sent: sent.passed,
    received: received.passed,
    strangers: received.strange,
    refused: sent.refused + received.refused,
    lost: sent.lost + received.lost,
  }
}
