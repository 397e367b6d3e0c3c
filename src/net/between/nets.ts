import { Scope } from '../../base/index.ts'
import { accept, drop, match, NetlinkError, openNft } from '../../nft/index.ts'
import { openRoute, type Route, vxlan } from '../../rtnl/index.ts'
import { NetNamespace } from '../../sys/index.ts'
import { linkGroup } from '../bridge/fabric.ts'
import type { Fabric } from '../fabric.ts'
import { isCoded } from '../uplink/veth-pair.ts'
import { noNamespace, portTaken, vniTaken } from './errors.ts'
import { openRelay, type Relay } from './relay.ts'
import { openSeal, type Seal } from './seal.ts'

/** One net that continues on other hosts. */
export interface TunnelSpec {
  readonly net: number
  readonly vni: number
  readonly mtu: number
  /** Where frames to each Ethernet address go. 00:00:00:00:00:00 stands for all others, once for each host. */
  readonly entries: readonly { readonly mac: string; readonly remote: string }[]
}

export interface TunnelsOptions {
  /** This host's address on the network between the hosts. */
  readonly local: string
  /** The addresses of the other hosts: nothing else is accepted on the port. */
  readonly peers: readonly string[]
  readonly port: number
  /** Part of the name of the table that guards the port. */
  readonly owner: string
  /** How errors name this host. */
  readonly host: string
  /** Encrypts everything: entries then have the hosts' addresses in the tunnel. Absent: nothing is encrypted. */
  readonly seal?: Seal | undefined
}

/**
 * Joins nets of a fabric with those of other hosts: one VXLAN device for each, made by this process's namespace in that of
 * the fabric, as a port of the net's bridge. Closing the fabric removes them, and so does the kernel when the namespace
 * goes. Equivalent: `ip link add … netns … type vxlan id … local … dstport …; bridge fdb append …`
 *
 * With a `seal` VXLAN stays inside the fabric's namespace, and a WireGuard device carries it to the other hosts. In the
 * namespace of a user without root it stays inside too, and this process carries it ({@link openRelay}).
 */
export async function joinNets(
  fabric: Fabric,
  tunnels: readonly TunnelSpec[],
  options: TunnelsOptions,
): Promise<Fabric> {
  const { namespace } = fabric
  if (!namespace) throw noNamespace(options.host)
  await using scope = new Scope()
  scope.add(fabric)
  await using inside = openRoute({ namespace })
  const isRootless = namespace.userFd !== undefined
  const vnis = tunnels.map(({ vni }) => vni)
  const relay = isRootless ? await openRelay({ ...options, inside, namespace, vnis }) : undefined
  if (relay) scope.add(relay)
  else scope.add(await guardPort(options))
  await using outside = openRoute()
  const places = { ...options, outside, inside, namespace, relay }
  if (options.seal) scope.add(await openSeal(options.seal, places))
  for (const tunnel of tunnels) await addTunnel(tunnel, places)
  const open = scope.move()
  const close = () => open.close()
  return {
    kind: fabric.kind,
    namespace,
    ...(fabric.uplink && { uplink: fabric.uplink }),
    ...(fabric.custom && { custom: true as const }),
    nics: (node, signal) => fabric.nics(node, signal),
    capture: (spec, receiver) => fabric.capture(spec, receiver),
    traffic: () => fabric.traffic(),
    ...(relay && { tunnel: () => relay.counts() }),
    change: plan => fabric.change(plan),
    close,
    [Symbol.asyncDispose]: close,
  }
}

interface Places extends TunnelsOptions {
  readonly outside: Route
  readonly inside: Route
  readonly namespace: NetNamespace
  readonly relay: Relay | undefined
}

/** The device keeps the namespace that it was made by: its packets leave there (`vxlan_newlink`, `src_net`). */
async function addTunnel(
  { net, vni, mtu, entries }: TunnelSpec,
  { outside, inside, namespace, local, port, host, seal, relay }: Places,
): Promise<void> {
  const name = `xcvx${net}`
  const device = { name, vni, port, mtu }
  try {
    if (seal) await inside.links.add(vxlan({ ...device, local: seal.inner }))
    else if (relay) await inside.links.add(vxlan({ ...device, ...relay.device }))
    else await outside.links.add(vxlan({ ...device, namespace, local }))
  } catch (failure) {
    throw isCoded(failure, 'NETLINK_EXISTS') ? vniTaken({ net, vni, host }, failure) : failure
  }
  try {
    await inside.batch(({ links, fdb }) => {
      links.change({ name, master: `xcbr${net}`, group: linkGroup, addrGenMode: 'none', up: true })
      for (const { mac, remote } of entries)
        fdb.append({ link: name, mac, ...(relay && !seal ? relay.placeOf(remote) : { remote }) })
    })
  } catch (failure) {
    // A device that comes up binds the port (`vxlan_open`).
    throw failure instanceof NetlinkError && failure.errnoName === 'EADDRINUSE'
      ? portTaken({ net, port, host, use: 'VXLAN' }, failure)
      : failure
  }
}

/** The table goes with its socket. VXLAN itself listens on all addresses and takes frames from anywhere. */
async function guardPort({ peers, port, owner }: TunnelsOptions): Promise<AsyncDisposable> {
  await using namespace = NetNamespace.current()
  const nft = openNft({ namespace })
  const table = { family: 'inet', name: `xcluster_vxlan_${owner}`, owner: true } as const
  const ours = match.udp.dport(port)
  const [first = ''] = peers
  const from = first.includes(':') ? match.ip6.saddr(...peers) : match.ip.saddr(...peers)
  try {
    await nft.transaction(({ tables, chains, rules }) => {
      tables.create(table)
      chains.add({ table, name: 'input', type: 'filter', hook: 'input', priority: 'filter' })
      rules.add({ table, chain: 'input', statements: [ours, from, accept()] })
      rules.add({ table, chain: 'input', statements: [ours, drop()] })
    })
    return nft
  } catch (failure) {
    await nft.close()
    throw failure
  }
}
