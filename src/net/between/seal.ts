import { openWireGuard } from '../../genl/index.ts'
import { drop, match, NetlinkError, not, openNft } from '../../nft/index.ts'
import { openRoute, type Route, wireguard } from '../../rtnl/index.ts'
import { NetNamespace } from '../../sys/index.ts'
import { linkGroup } from '../bridge/fabric.ts'
import { isCoded } from '../uplink/veth-pair.ts'
import { portTaken } from './errors.ts'

/** Another host at the end of an encrypted tunnel. */
export interface SealedPeer {
  /** X25519, in base64. */
  readonly publicKey: string
  /** Its address on the network between the hosts. */
  readonly address: string
  /** Its address in the tunnel. */
  readonly inner: string
}

/** What WireGuard needs on one host. */
export interface Seal {
  /** X25519, in base64. */
  readonly privateKey: string
  /** 32 bytes in base64 that all hosts have. */
  readonly presharedKey: string
  /** This host's address in the tunnel. */
  readonly inner: string
  /** The largest packet in the tunnel, in bytes. */
  readonly mtu: number
  readonly peers: readonly SealedPeer[]
}

const device = 'xcwg'

/** Why this kernel cannot encrypt nets, as half a sentence. Undefined: it can. Tried in a temporary namespace. */
export async function whyNoSeal(): Promise<string | undefined> {
  await using namespace = NetNamespace.create()
  await using route = openRoute({ namespace })
  await using wireGuard = openWireGuard({ namespace })
  try {
    await route.links.add(wireguard({ name: device }))
    await wireGuard.get(device)
    return undefined
  } catch (failure) {
    if (isCoded(failure, 'LINK_KIND_MISSING') || isCoded(failure, 'GENERIC_FAMILY_MISSING'))
      return 'its kernel has no WireGuard (CONFIG_WIREGUARD, module wireguard)'
    throw failure
  }
}

export interface SealedIn {
  /** Of the host's own namespace. */
  readonly outside: Route
  /** Of the cluster's. */
  readonly inside: Route
  readonly namespace: NetNamespace
  /** The UDP port, of WireGuard in the host's namespace and of VXLAN in the cluster's. */
  readonly port: number
  /** How errors name this host. */
  readonly host: string
}

/**
 * A WireGuard device in the cluster's namespace, whose packets leave by the host's: it keeps the namespace that it was made
 * by for its sockets (`creating_net`, drivers/net/wireguard/device.c). Returns what guards the tunnel. Equivalent:
 * `ip link add … netns … type wireguard; wg setconf …; ip address add …; ip route add …`
 */
export async function openSeal(seal: Seal, places: SealedIn): Promise<AsyncDisposable> {
  const { outside, inside, namespace, port, host } = places
  const { privateKey, presharedKey, inner, mtu, peers } = seal
  const guard = await guardTunnel(namespace, port)
  try {
    await outside.links.add(wireguard({ name: device, namespace, mtu }))
    await using wireGuard = openWireGuard({ namespace })
    await wireGuard.set(device, {
      ...{ privateKey, port },
      peers: peers.map(({ publicKey, address, inner: theirs }) => ({
        ...{ publicKey, presharedKey },
        endpoint: { address, port },
        allowed: [`${theirs}/32`],
      })),
    })
    await inside.batch(({ links, addresses, routes }) => {
      addresses.add({ link: device, address: inner, prefix: 32 })
      links.change({ name: device, group: linkGroup, up: true })
      for (const { inner: theirs } of peers) routes.add({ destination: `${theirs}/32`, dev: device })
    })
    return guard
  } catch (failure) {
    await guard[Symbol.asyncDispose]()
    // A device that comes up binds the port (`wg_open`).
    const isTaken = failure instanceof NetlinkError && failure.errnoName === 'EADDRINUSE'
    throw isTaken ? portTaken({ port, host, use: 'WireGuard' }, failure) : failure
  }
}

/**
 * Guests reach the cluster's namespace on net 0. They must not reach VXLAN's port there, nor the other hosts through the
 * tunnel: the port takes packets of the tunnel alone, and nothing is forwarded to it or from it.
 */
async function guardTunnel(namespace: NetNamespace, port: number): Promise<AsyncDisposable> {
  const nft = openNft({ namespace })
  const table = { family: 'inet', name: 'xcluster_tunnel', owner: true } as const
  const chain = (name: 'input' | 'forward') =>
    ({ table, name, type: 'filter', hook: name, priority: 'filter' }) as const
  try {
    await nft.transaction(({ tables, chains, rules }) => {
      tables.create(table)
      chains.add(chain('input'))
      chains.add(chain('forward'))
      const stranger = [not(match.iifname(device)), match.udp.dport(port), drop()]
      rules.add({ table, chain: 'input', statements: stranger })
      for (const side of [match.iifname(device), match.oifname(device)])
        rules.add({ table, chain: 'forward', statements: [side, drop()] })
    })
    return nft
  } catch (failure) {
    await nft.close()
    throw failure
  }
}
