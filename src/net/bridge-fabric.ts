import { type Nic, Scope, XclusterError } from '../base/index.ts'
import { bridge, openRoute, type Route } from '../rtnl/index.ts'
import { NetNamespace, openTaps, SysError, type Tap, writeSysctl } from '../sys/index.ts'
import {
  type BridgeChange,
  type BridgePlan,
  type BridgeSpec,
  bridgeChange,
  planNics,
  type TapSpec,
} from './bridge-plan.ts'
import { NetError } from './errors.ts'
import type { Fabric } from './fabric.ts'

/** All our links are in this group ("xc" in ASCII): removed by it, they take as long as one. */
const linkGroup = 0x7863

/** Those of them that are being removed while others stay. */
const leavingGroup = 0x7864

/** Lets LLDP through, 01:80:c2:00:00:0e, which a bridge keeps to itself by default (IEEE 802.1D §7.12.6). */
const forwardLldp = 0x4000

export interface BridgeFabric extends Fabric {
  readonly kind: 'bridge'
  readonly namespace: NetNamespace
}

export interface FabricOptions {
  /** Where, instead of a namespace of its own. It stays when the fabric is closed. */
  readonly namespace?: NetNamespace
}

/**
 * Makes bridges and taps as planned, all or nothing: a handful of messages and one entry into the namespace, be
 * there two taps or two hundred. Equivalent: `ip link add … type bridge`, `ip tuntap add`, `ip link set … master`.
 */
export async function openBridgeFabric(plan: BridgePlan, options: FabricOptions = {}): Promise<BridgeFabric> {
  await using scope = new Scope()
  const namespace = options.namespace ?? scope.add(NetNamespace.create())
  const route = scope.add(openRoute({ namespace }))
  if (options.namespace) await refuseTaken(route)
  leaveFramesAlone(namespace)
  const fabric = new Bridges({ namespace, route, scope: scope.move() })
  try {
    await route.links.change({ name: 'lo', up: true })
    await fabric.change(plan)
    return fabric
  } catch (failure) {
    await fabric.close()
    throw failure
  }
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

function addBridges(bridges: readonly BridgeSpec[], mtu: number, route: Route): Promise<void> {
  return route.batch(({ links, addresses }) => {
    for (const { name, index, mac, addresses: own } of bridges) {
      // A bridge on which the host is not has no address at all, not even one of its link.
      const addrGenMode = own.length > 0 ? 'eui64' : 'none'
      const settings = { groupFwdMask: forwardLldp, stp: false }
      links.add(bridge({ name, index, mtu, mac, addrGenMode, group: linkGroup, up: true, ...settings }))
      for (const each of own) addresses.add({ link: index, ...each, noDad: true })
    }
  })
}

function attach(taps: readonly TapSpec[], { mtu, bridges }: BridgePlan, route: Route): Promise<void> {
  const masters = new Map(bridges.map(({ net, index }) => [net, index]))
  return route.batch(({ links }) => {
    for (const { name, net } of taps)
      links.change({ name, mtu, master: masters.get(net)!, group: linkGroup, addrGenMode: 'none', up: true })
  })
}

class Bridges implements BridgeFabric {
  readonly kind = 'bridge'
  readonly namespace: NetNamespace
  readonly #route: Route
  readonly #scope: Scope
  readonly #taps = new Map<string, Tap>()
  #plan: Pick<BridgePlan, 'bridges' | 'taps'> = { bridges: [], taps: [] }

  constructor({ namespace, route, scope }: { namespace: NetNamespace; route: Route; scope: Scope }) {
    this.namespace = namespace
    this.#route = route
    this.#scope = scope
    scope.defer(() => closeAll([...this.#taps.values()]))
    // First the links, all at once, then the fds: closing the fd of a bridged tap takes the kernel 20 ms.
    scope.defer(() => removeAll(route, linkGroup))
  }

  async nics(node: number): Promise<Nic[]> {
    this.#mustBeOpen()
    return planNics(this.#plan, node).map(({ tap, args }) => ({ args, fds: [this.#taps.get(tap)!.fd] }))
  }

  async change(plan: BridgePlan): Promise<void> {
    this.#mustBeOpen()
    const { add, remove } = bridgeChange(this.#plan, plan)
    try {
      await this.#add(add, plan)
    } catch (failure) {
      await this.#remove(add)
      throw explained(failure)
    }
    await this.#remove(remove)
    this.#plan = plan
  }

  close(): Promise<void> {
    return this.#scope.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #add({ bridges, taps }: BridgeChange['add'], plan: BridgePlan): Promise<void> {
    if (bridges.length > 0) await addBridges(bridges, plan.mtu, this.#route)
    if (taps.length === 0) return
    const names = taps.map(({ name }) => name)
    for (const tap of openTaps(names, { namespace: this.namespace, vnetHdr: true }))
      this.#taps.set(tap.name, tap)
    await attach(taps, plan, this.#route)
  }

  /**
   * Removes those of the links that are there and ours: a batch is no transaction, so after a failure any of
   * them may be. They become a group of their own first, which goes in the time of one link.
   */
  async #remove({ bridges, taps }: BridgeChange['remove']): Promise<void> {
    if (bridges.length + taps.length === 0) return
    const names = new Set([...bridges, ...taps].map(({ name }) => name))
    const there = (await this.#route.links.list()).filter(({ name }) => names.has(name))
    const ours = there.filter(({ name, group }) => group === linkGroup || this.#taps.has(name))
    if (ours.length > 0) {
      await this.#route.batch(({ links }) => {
        for (const { index } of ours) links.change({ index, group: leavingGroup })
      })
      await removeAll(this.#route, leavingGroup)
    }
    const gone = taps.flatMap(({ name }) => this.#taps.get(name) ?? [])
    for (const { name } of gone) this.#taps.delete(name)
    await closeAll(gone)
  }

  #mustBeOpen(): void {
    if (!this.#scope.closed) return
    throw new NetError({ code: 'NETWORK_CLOSED', op: 'use', target: 'network', reason: 'it is closed' })
  }
}

async function removeAll(route: Route, group: number): Promise<void> {
  try {
    await route.links.removeGroup(group)
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
