import type { ImpairedLink } from '../../api/index.ts'
import { Scope, Turns } from '../../base/index.ts'
import { type GuestImpairment, impairGuest, impairLink } from '../../guest/index.ts'
import { type Fabric, hasNetem, impairTap, onTap, setTapUp } from '../../net/index.ts'
import {
  type Backend,
  backendFor,
  type Impairment,
  impaired,
  impairmentOf,
  impairmentProblem,
  isWhole,
  type LinkImpairments,
  type Netem,
  type NodeNet,
  type NodePlan,
  netemOf,
  partsOf,
} from '../../plan/index.ts'
import type { NetNamespace } from '../../sys/index.ts'
import { ClusterError } from '../errors.ts'
import type { ClusterNode } from '../nodes/node.ts'
import { impairmentsOf } from '../verify.ts'

/** A link, and what impairs it. */
export interface LinkImpairment extends Impairment {
  readonly node: number
  readonly dev: string
}

/** More packets than wait on any link here. netem drops what does not fit. */
const limit = 100_000

/** What impairs the links of a cluster, by node and interface. */
export class Impairments implements AsyncDisposable {
  readonly #fabric: Fabric
  readonly #links = new Map<ClusterNode, Map<string, LinkImpairments>>()
  /** Those that the host makes, by interface and direction. */
  readonly #hosted = new Map<ClusterNode, Map<string, Hosted>>()
  readonly #turns = new Turns<ClusterNode>()

  constructor(fabric: Fabric) {
    this.#fabric = fabric
  }

  list(nodes: readonly ClusterNode[]): ImpairedLink[] {
    return nodes.flatMap(node =>
      Object.entries(this.of(node)).flatMap(([dev, link]) => {
        const net = node.plan.nets.find(each => each.dev === dev)?.net
        if (net === undefined) return []
        return partsOf(link).map(({ direction = 'sent', ...part }) => ({
          ...{ node: node.plan.name, dev, net, direction },
          by: this.#hosted.get(node)?.get(`${dev} ${direction}`)?.by ?? backendOf(part),
          ...part,
        }))
      }),
    )
  }

  /** What impairs the links of a node, by interface. */
  of(node: ClusterNode): Readonly<Record<string, LinkImpairments>> {
    return Object.fromEntries(this.#links.get(node) ?? [])
  }

  /** Impairs a direction of a link in place of what impaired it. Without an impairment it is whole again. */
  async set(node: ClusterNode, dev: string, asked: Impairment): Promise<void> {
    refuseBad(node.plan.name, dev, asked)
    await this.#replace(node, dev, had => impaired(had, asked))
  }

  /** Impairs a link in place of all that impaired it. */
  async put(node: ClusterNode, dev: string, wanted: LinkImpairments): Promise<void> {
    await this.#replace(node, dev, () => wanted)
  }

  async #replace(
    node: ClusterNode,
    dev: string,
    next: (had: LinkImpairments) => LinkImpairments,
  ): Promise<void> {
    const nic = nicOf(node, dev)
    await this.#turns.run([node], async () => {
      const own = this.#links.get(node) ?? new Map<string, LinkImpairments>()
      const had = own.get(dev) ?? {}
      const wanted = next(had)
      if (wanted.partition) this.#namespaceOf(nic)
      await this.#change(node, nic, { had, wanted })
      if (isWhole(wanted)) own.delete(dev)
      else own.set(dev, wanted)
      this.#links.set(node, own)
    })
  }

  /** Gives the links of a guest that starts afresh what the plan says: theirs are whole. The host's may be cut off still. */
  async begin(node: ClusterNode): Promise<void> {
    await this.#turns.run([node], async () => {
      const { nets, impairments = {} } = node.plan
      const had = this.#links.get(node)
      for (const key of this.#hosted.get(node)?.keys() ?? []) await this.#endHosted(node, key)
      for (const nic of nets) if (had?.get(nic.dev)?.partition) await this.#setTap(nic, true)
      this.#links.set(node, new Map())
      for (const [dev, wanted] of Object.entries(impairments)) {
        await this.#change(node, nicOf(node, dev), { had: {}, wanted })
        this.#links.get(node)!.set(dev, wanted)
      }
    })
  }

  /** Takes over what impaired the links of a node when it was frozen: its guest has it, and the host not yet. */
  async adopt(node: ClusterNode, frozen: readonly ImpairedLink[]): Promise<void> {
    const links = Object.entries(impairmentsOf(node.plan.name, frozen))
    for (const [dev, { partition }] of links) if (partition) await this.#setTap(nicOf(node, dev), false)
    this.#links.set(node, new Map(links))
  }

  /** Throws NO_PARTITION for nodes with a link that this network cannot cut off. */
  refuse(plans: readonly NodePlan[]): void {
    for (const { nets, impairments = {} } of plans)
      for (const nic of nets) if (impairments[nic.dev]?.partition) this.#namespaceOf(nic)
  }

  /** All of it, or none: what was changed before something fails is changed back. */
  async #change(node: ClusterNode, nic: NodeNet, change: Change): Promise<void> {
    const { had, wanted } = change
    const machine = node.mustRun() // refused before anything is changed
    await using undo = new Scope()
    for (const direction of ['sent', 'received'] as const) {
      const [before, after] = [had, wanted].map(link =>
        netemOf((direction === 'sent' ? link : link.received) ?? {}),
      )
      if (!before && !after) continue
      const where = { dev: nic.dev, direction }
      // Also when it fails: what was there may be gone. The failure says more than one of this.
      undo.defer(() => this.#shape(node, where, before).catch(() => {}))
      await this.#shape(node, where, after)
    }
    if (Boolean(had.partition) !== Boolean(wanted.partition)) {
      await this.#setTap(nic, !wanted.partition)
      undo.defer(() => this.#setTap(nic, !had.partition))
    }
    if (Boolean(had.down) !== Boolean(wanted.down))
      await machine.setLink(node.plan.nets.indexOf(nic), !wanted.down)
    undo.move()
  }

  /** By the guest, or by the host where no xcluster-guest answers. */
  async #shape(
    node: ClusterNode,
    where: Pick<GuestImpairment, 'dev' | 'direction'>,
    netem: Netem | undefined,
  ): Promise<void> {
    const { channel } = node
    if (channel) return await impairGuest(channel, { ...where, settings: netem && { ...netem, limit } })
    const key = `${where.dev} ${where.direction}`
    await this.#endHosted(node, key)
    if (!netem) return
    const { tap } = nicOf(node, where.dev)
    const { namespace, custom } = this.#fabric
    const own = custom ? undefined : namespace
    const abilities = { guest: false, tap: own !== undefined, netem: own ? await hasNetem(own) : false }
    const choice = backendFor(where.direction, impairmentOf(netem), abilities)
    if (!own || 'lacks' in choice) throw notPossible(node.plan.name, where.dev, choice)
    const hosted = await impairHost(own, { ...where, tap, netem, by: choice.by })
    const all = this.#hosted.get(node) ?? new Map<string, Hosted>()
    this.#hosted.set(node, all.set(key, { by: choice.by, end: hosted }))
  }

  async #endHosted(node: ClusterNode, key: string): Promise<void> {
    const hosted = this.#hosted.get(node)?.get(key)
    this.#hosted.get(node)?.delete(key)
    await hosted?.end[Symbol.asyncDispose]()
  }

  /** Takes away what the host does. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const [node, all] of this.#hosted)
      for (const key of [...all.keys()]) await this.#endHosted(node, key)
  }

  #setTap(nic: NodeNet, up: boolean): Promise<void> {
    return setTapUp(this.#namespaceOf(nic), nic.tap, up)
  }

  /** Where its tap is. Throws NO_PARTITION when the host has none. */
  #namespaceOf({ net }: NodeNet): NetNamespace {
    const { namespace, custom } = this.#fabric
    if (!namespace || custom) throw noPartition(net)
    return namespace
  }
}

interface Change {
  readonly had: LinkImpairments
  readonly wanted: LinkImpairments
}

/** An impairment that the host makes. */
interface Hosted {
  readonly by: Backend
  readonly end: AsyncDisposable
}

interface OnHost extends Pick<GuestImpairment, 'direction'> {
  readonly tap: string
  readonly netem: Netem
  readonly by: Backend
}

/** What the guest receives is what its tap sends, and the other way round. */
async function impairHost(namespace: NetNamespace, asked: OnHost): Promise<AsyncDisposable> {
  const { tap, direction, netem, by } = asked
  if (by !== 'netem on the tap') return await impairTap(namespace, { ...netem, tap, direction })
  const seen = { dev: tap, direction: direction === 'sent' ? 'received' : 'sent' } as const
  const shape = (settings: GuestImpairment['settings']) =>
    onTap(namespace, tap, route => impairLink(route, { ...seen, settings }))
  await shape({ ...netem, limit })
  return { [Symbol.asyncDispose]: () => shape(undefined) }
}

function notPossible(node: string, dev: string, choice: object): ClusterError {
  return new ClusterError({
    code: 'NO_IMPAIRMENT',
    kind: 'prerequisite',
    op: 'impair link',
    target: `${node}/${dev}`,
    reason: 'lacks' in choice ? String(choice.lacks) : 'the host has no tap for it',
    remedy: 'Impair the other end of the link, or use down, or a loss without a delay',
  })
}

function backendOf({ down, partition }: Impairment): Backend {
  if (down) return 'QEMU'
  return partition ? 'tap' : 'netem in the guest'
}

function nicOf({ plan }: ClusterNode, dev: string): NodeNet {
  const nic = plan.nets.find(each => each.dev === dev)
  if (nic) return nic
  throw new ClusterError({
    code: 'LINK_MISSING',
    kind: 'missing',
    op: 'impair link',
    target: `${plan.name}/${dev}`,
    reason: `its interfaces are ${plan.nets.map(each => each.dev).join(', ')}`,
  })
}

function refuseBad(node: string, dev: string, asked: Impairment): void {
  const reason = impairmentProblem(asked)
  if (reason === undefined) return
  const target = `${node}/${dev}`
  throw new ClusterError({ code: 'BAD_IMPAIRMENT', kind: 'usage', op: 'impair link', target, reason })
}

function noPartition(net: number): ClusterError {
  return new ClusterError({
    code: 'NO_PARTITION',
    op: 'cut off link on',
    target: `net ${net}`,
    reason: 'the host has no tap for it: the network is in user space, or a script of yours made it',
    remedy: 'Use down, which the guest sees, or a loss of 1',
  })
}
