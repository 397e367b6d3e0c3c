import { type Nic, Scope, Serial, XclusterError } from '../../base/index.ts'
import {
  type BridgeChange,
  type BridgePlan,
  type BridgeSpec,
  bridgeChange,
  mtuChanges,
  mtuOf,
  planNics,
  type TapSpec,
} from '../../plan/index.ts'
import { type Batch, openRoute, type Route } from '../../rtnl/index.ts'
import { type FileLock, lockNamespace, NetNamespace, openTaps, type Tap } from '../../sys/index.ts'
import { type CapturedLink, captureLink, type FrameReceiver } from '../capture/source.ts'
import { NetError } from '../errors.ts'
import type { Fabric } from '../fabric.ts'
import { type InterfaceTraffic, tapTraffic } from '../traffic.ts'
import { addBridges, bridgesThere, raise, turnOffFilters, turnOffFiltersHere } from './bridges.ts'

/** The group of all links of a fabric ("xc" in ASCII). Removed by group, they take as long as one. */
export const linkGroup = 0x7863

/** The group of links that are being removed while others stay. */
const leavingGroup = 0x7864

export interface BridgeFabric extends Fabric {
  readonly kind: 'bridge'
  readonly namespace: NetNamespace
}

export interface FabricOptions {
  /**
   * The namespace to use, instead of a new one. It stays when the fabric is closed, as do bridges that
   * existed before.
   */
  readonly namespace?: NetNamespace
}

/**
 * Makes bridges and taps as planned, all or nothing. It takes a few messages and one entry into the
 * namespace, for two taps or two hundred. Equivalent: `ip link add … type bridge`, `ip tuntap add`,
 * `ip link set … master`.
 */
export async function openBridgeFabric(plan: BridgePlan, options: FabricOptions = {}): Promise<BridgeFabric> {
  const scope = new Scope()
  try {
    const fabric = new Bridges(
      options.namespace ? await enter(options.namespace, scope) : create(plan, scope),
      scope,
    )
    await fabric.change(plan)
    return fabric
  } catch (failure) {
    await scope.close()
    throw failure
  }
}

/** In a namespace that stays. */
async function enter(namespace: NetNamespace, scope: Scope): Promise<Place> {
  const route = scope.add(openRoute({ namespace }))
  scope.add(await takeAlone(namespace, route))
  scope.defer(turnOffFiltersHere(namespace))
  return { namespace, shared: true, route }
}

/** In a new namespace. A thread begins with the taps at once: what JavaScript has to do takes as long. */
function create({ taps }: BridgePlan, scope: Scope): Place {
  const namespace = scope.add(NetNamespace.create())
  const opening = open(taps, namespace)
  const opened = opening.catch((): Tap[] => [])
  scope.defer(async () => closeAll(await opened))
  const route = scope.add(openRoute({ namespace }))
  turnOffFilters(namespace)
  return { namespace, shared: false, route, opening }
}

function open(taps: readonly TapSpec[], namespace: NetNamespace): Promise<Tap[]> {
  const names = taps.map(({ name }) => name)
  return openTaps(names, { namespace, vnetHdr: true })
}

interface Wanted {
  /** Bridges to be made. They come up after their ports. */
  readonly bridges: readonly BridgeSpec[]
  readonly taps: readonly TapSpec[]
  readonly plan: Pick<BridgePlan, 'mtu' | 'mtus'>
  /** The index of each net's bridge. */
  readonly masters: ReadonlyMap<number, number>
}

/** Makes bridges and attaches taps to them, in one batch. */
function connect({ bridges, taps, plan, masters }: Wanted, batch: Batch): void {
  const { mtu, mtus = {} } = plan
  const { links } = batch
  addBridges(bridges, { mtu, mtus, group: linkGroup, up: false }, batch)
  for (const { name, net } of taps) {
    const port = { mtu: mtuOf(plan, net), master: masters.get(net)!, group: linkGroup }
    links.change({ name, ...port, addrGenMode: 'none', up: true })
  }
  raise(
    bridges.map(({ index }) => index),
    batch,
  )
  links.change({ name: 'lo', up: true })
}

/** Where a network is made. */
interface Place {
  readonly namespace: NetNamespace
  /** The namespace may have bridges of another owner. */
  readonly shared: boolean
  readonly route: Route
  /** The taps of the first plan, when they are being opened already. */
  readonly opening?: Promise<Tap[]>
}

class Bridges implements BridgeFabric {
  readonly kind = 'bridge'
  readonly namespace: NetNamespace
  readonly #shared: boolean
  readonly #route: Route
  readonly #scope: Scope
  #opening: Promise<Tap[]> | undefined
  readonly #changes = new Serial()
  /** The index of each net's bridge. */
  readonly #masters = new Map<number, number>()
  readonly #taps = new Map<string, Tap>()
  #plan: BridgePlan = { mtu: 0, bridges: [], taps: [] }

  constructor({ namespace, shared, route, opening }: Place, scope: Scope) {
    this.namespace = namespace
    this.#shared = shared
    this.#route = route
    this.#opening = opening
    this.#scope = scope
    scope.defer(() => closeAll(this.#taps.values())) // the taps whose links could not be removed
    scope.defer(() => this.#removeGroup(linkGroup, this.#taps.values()))
    scope.defer(() => this.#changes.idle()) // a tap can still be opening
  }

  async nics(node: number): Promise<Nic[]> {
    this.#mustBeOpen()
    return planNics(this.#plan, node).map(({ tap, args }) => ({ args, fds: [this.#taps.get(tap)!.fd] }))
  }

  capture({ name }: TapSpec, receiver: FrameReceiver): Promise<CapturedLink> {
    this.#mustBeOpen()
    return captureLink(this.namespace, name, receiver)
  }

  traffic(): Promise<InterfaceTraffic[]> {
    this.#mustBeOpen()
    return tapTraffic(this.namespace, this.#plan.taps)
  }

  async change(plan: BridgePlan): Promise<void> {
    this.#mustBeOpen()
    await this.#changes.run(() => this.#change(plan))
  }

  close(): Promise<void> {
    return this.#scope.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #change(plan: BridgePlan): Promise<void> {
    this.#mustBeOpen()
    const { add, remove } = bridgeChange(this.#plan, plan)
    try {
      await this.#add(add, plan)
    } catch (failure) {
      await this.#remove(add)
      throw explained(failure)
    }
    const resized = mtuChanges(this.#plan, plan)
    if (resized.length > 0)
      await this.#route.batch(({ links }) => {
        for (const link of resized) links.change(link)
      })
    await this.#remove(remove)
    this.#plan = plan
  }

  /** The batch is written while the taps are being opened. */
  async #add({ bridges, taps }: BridgeChange['add'], plan: BridgePlan): Promise<void> {
    const wanted = { bridges: await this.#missing(bridges, plan), taps, plan, masters: this.#masters }
    const opening = this.#opening ?? open(taps, this.namespace)
    this.#opening = undefined
    const writing = this.#route.prepare(batch => connect(wanted, batch))
    const [opened, written] = await Promise.allSettled([opening, writing])
    if (opened.status === 'rejected') throw opened.reason
    for (const tap of opened.value) this.#taps.set(tap.name, tap)
    if (written.status === 'rejected') throw written.reason
    await written.value()
  }

  /** The bridges that have to be made. */
  async #missing(bridges: readonly BridgeSpec[], { mtu, mtus = {} }: BridgePlan): Promise<BridgeSpec[]> {
    for (const { net, index } of bridges) this.#masters.set(net, index)
    if (!this.#shared || bridges.length === 0) return [...bridges]
    const there = await bridgesThere(bridges, { mtu, mtus }, this.#route)
    for (const { net, index } of there) this.#masters.set(net, index)
    return bridges.filter(({ name }) => there.every(other => other.name !== name))
  }

  /**
   * Removes those of the links that exist and belong to this fabric: a batch is not a transaction, so after a
   * failure any of them may exist. They are moved to a group of their own first, which is removed in the time
   * of one link.
   */
  async #remove({ bridges, taps }: BridgeChange['remove']): Promise<void> {
    if (bridges.length + taps.length === 0) return
    const names = new Set([...bridges, ...taps].map(({ name }) => name))
    const there = (await this.#route.links.list()).filter(({ name }) => names.has(name))
    const ours = there.filter(({ name, group }) => group === linkGroup || this.#taps.has(name))
    const gone = taps.flatMap(({ name }) => this.#taps.get(name) ?? [])
    if (ours.length > 0) {
      await this.#route.batch(({ links }) => {
        for (const { index } of ours) links.change({ index, group: leavingGroup })
      })
      await this.#removeGroup(leavingGroup, gone)
    }
    for (const { name } of gone) this.#taps.delete(name)
    await closeAll(gone)
  }

  /**
   * Removes the links first, all at once, then closes the fds: closing the fd of a bridged tap takes the
   * kernel 20 ms.
   */
  async #removeGroup(group: number, taps: Iterable<Tap>): Promise<void> {
    await removeGroup(group, this.#route)
    for (const tap of taps) tap.closeGone()
  }

  #mustBeOpen(): void {
    if (!this.#scope.closed) return
    throw new NetError({ code: 'NETWORK_CLOSED', op: 'use', target: 'network', reason: 'it has been closed' })
  }
}

async function closeAll(taps: Iterable<Tap>): Promise<void> {
  await Promise.all(Array.from(taps, tap => tap.close()))
}

/**
 * Links are removed by group, so a namespace has room for one network. Links that exist without the lock are
 * remains of a process that was killed.
 */
async function takeAlone(namespace: NetNamespace, route: Route): Promise<FileLock> {
  const lock = lockNamespace(namespace)
  if (lock) {
    await removeGroup(linkGroup, route)
    return lock
  }
  const names = (await route.links.list()).flatMap(({ name, group }) => (group === linkGroup ? name : []))
  throw taken(`this namespace already has one (${names.join(', ') || 'being made'})`)
}

async function removeGroup(group: number, route: Route): Promise<void> {
  try {
    await route.links.removeGroup(group)
  } catch (failure) {
    if (!isCoded(failure, 'NETLINK_NOT_FOUND')) throw failure
  }
}

function explained(failure: unknown): unknown {
  if (!isCoded(failure, 'NETLINK_EXISTS', 'TAP_EXISTS')) return failure
  return taken(`${failure.target} exists already`, failure)
}

function taken(reason: string, cause?: Error): NetError {
  const remedy = 'Stop the cluster that has it, or use another namespace'
  return new NetError({ code: 'NETWORK_TAKEN', op: 'make', target: 'network', reason, remedy, cause })
}

function isCoded(failure: unknown, ...codes: string[]): failure is XclusterError {
  return failure instanceof XclusterError && codes.includes(failure.code)
}
