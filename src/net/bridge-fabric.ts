import { type Nic, Scope, XclusterError } from '../base/index.ts'
import { bridge, openRoute, type Route } from '../rtnl/index.ts'
import { NetNamespace, openTaps, SysError, type Tap, writeSysctl } from '../sys/index.ts'
import type { BridgePlan, TapSpec } from './bridge-plan.ts'
import { NetError } from './errors.ts'
import type { Fabric } from './fabric.ts'

/** All our links are in this group ("xc" in ASCII): removed by it, they take as long as one. */
const linkGroup = 0x7863

/** Lets LLDP through, 01:80:c2:00:00:0e, which a bridge keeps to itself by default (IEEE 802.1D §7.12.6). */
const forwardLldp = 0x4000

export interface FabricOptions {
  /** Where, instead of a namespace of its own. It stays when the fabric is closed. */
  readonly namespace?: NetNamespace
}

/**
 * Makes bridges and taps as planned, all or nothing: a handful of messages and one entry into the namespace, be
 * there two taps or two hundred. Equivalent: `ip link add … type bridge`, `ip tuntap add`, `ip link set … master`.
 */
export async function openBridgeFabric(plan: BridgePlan, options: FabricOptions = {}): Promise<Fabric> {
  await using scope = new Scope()
  const namespace = options.namespace ?? scope.add(NetNamespace.create())
  const route = scope.add(openRoute({ namespace }))
  if (options.namespace) await refuseTaken(route)
  const taps: Tap[] = []
  scope.defer(() => closeAll(taps))
  // First the links, all at once, then the fds: closing the fd of a bridged tap takes the kernel 20 ms.
  scope.defer(() => removeAll(route))
  leaveFramesAlone(namespace)
  try {
    await addBridges(plan, route)
    taps.push(
      ...openTaps(
        plan.taps.map(tap => tap.name),
        { namespace, vnetHdr: true },
      ),
    )
    await attach(plan, route)
  } catch (failure) {
    throw explained(failure)
  }
  return new BridgeFabric({ namespace, cables: plan.taps, taps, scope: scope.move() })
}

/** In here, bridged frames are nobody's to filter. The files are there where br_netfilter is loaded. */
function leaveFramesAlone(namespace: NetNamespace): void {
  for (const table of ['arptables', 'ip6tables', 'iptables']) {
    try {
      writeSysctl(namespace, `net/bridge/bridge-nf-call-${table}`, '0')
    } catch (failure) {
      if (!(failure instanceof SysError && failure.errnoName === 'ENOENT')) throw failure
    }
  }
}

/** A batch is no transaction: what it made before it failed is in the group, and goes with it. */
function addBridges({ mtu, bridges }: BridgePlan, route: Route): Promise<void> {
  return route.batch(({ links, addresses }) => {
    links.change({ name: 'lo', up: true })
    for (const { name, index, mac, addresses: own } of bridges) {
      // A bridge on which the host is not has no address at all, not even one of its link.
      const addrGenMode = own.length > 0 ? 'eui64' : 'none'
      const settings = { groupFwdMask: forwardLldp, stp: false }
      links.add(bridge({ name, index, mtu, mac, addrGenMode, group: linkGroup, up: true, ...settings }))
      for (const each of own) addresses.add({ link: index, ...each, noDad: true })
    }
  })
}

function attach({ mtu, taps, bridges }: BridgePlan, route: Route): Promise<void> {
  const masters = new Map(bridges.map(({ net, index }) => [net, index]))
  return route.batch(({ links }) => {
    for (const { name, net } of taps)
      links.change({ name, mtu, master: masters.get(net)!, group: linkGroup, addrGenMode: 'none', up: true })
  })
}

class BridgeFabric implements Fabric {
  readonly namespace: NetNamespace
  readonly #nics = new Map<number, Nic[]>()
  readonly #scope: Scope

  constructor(parts: {
    namespace: NetNamespace
    cables: readonly TapSpec[]
    taps: readonly Tap[]
    scope: Scope
  }) {
    this.namespace = parts.namespace
    this.#scope = parts.scope
    for (const [at, { node, mac }] of parts.cables.entries()) {
      const nics = this.#nics.get(node) ?? []
      nics.push(nicOf(nics.length, mac, parts.taps[at]!.fd))
      this.#nics.set(node, nics)
    }
  }

  nics(node: number): Nic[] {
    if (!this.#scope.closed) return this.#nics.get(node) ?? []
    throw new NetError({ code: 'NETWORK_CLOSED', op: 'use', target: 'network', reason: 'it is closed' })
  }

  close(): Promise<void> {
    return this.#scope.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** `romfile=`: nobody boots from it, and the option ROM costs time at every start. */
function nicOf(index: number, mac: string, fd: number): Nic {
  const device = `virtio-net-pci,netdev=net${index},id=nic${index},mac=${mac},romfile=`
  return { args: ['-netdev', `tap,id=net${index},fd={fd0}`, '-device', device], fds: [fd] }
}

async function removeAll(route: Route): Promise<void> {
  try {
    await route.links.removeGroup(linkGroup)
  } catch (failure) {
    if (!isCoded(failure, 'NETLINK_NOT_FOUND')) throw failure
  }
}

async function closeAll(taps: readonly Tap[]): Promise<void> {
  await Promise.all(taps.map(tap => tap.close()))
}

/** Our links are removed by their group, so a namespace has room for one network. */
async function refuseTaken(route: Route): Promise<void> {
  const ours = (await route.links.list()).filter(({ group }) => group === linkGroup)
  if (ours.length > 0)
    throw taken(`there is one in this namespace (${ours.map(({ name }) => name).join(', ')})`)
}

function explained(failure: unknown): unknown {
  if (!isCoded(failure, 'NETLINK_EXISTS', 'TAP_EXISTS')) return failure
  return taken(`${failure.target} is there already`, failure)
}

function taken(reason: string, cause?: Error): NetError {
  const remedy = 'Stop the cluster that it belongs to, or use another namespace'
  return new NetError({ code: 'NETWORK_TAKEN', op: 'make', target: 'network', reason, remedy, cause })
}

function isCoded(failure: unknown, ...codes: string[]): failure is XclusterError {
  return failure instanceof XclusterError && codes.includes(failure.code)
}
