import type { ImpairedLink } from '../../api/index.ts'
import { Scope, Turns } from '../../base/index.ts'
import { type GuestImpairment, impairGuest } from '../../guest/index.ts'
import { type Fabric, setTapUp } from '../../net/index.ts'
import {
  type Backend,
  type Impairment,
  impaired,
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
import { ClusterError, noStreams } from '../errors.ts'
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
export class Impairments {
  readonly #fabric: Fabric
  readonly #links = new Map<ClusterNode, Map<string, LinkImpairments>>()
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
          ...{ node: node.plan.name, dev, net, direction, by: backendOf(part) },
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

  async #shape(
    { channel, plan }: ClusterNode,
    where: Pick<GuestImpairment, 'dev' | 'direction'>,
    netem: Netem | undefined,
  ): Promise<void> {
    if (!channel) throw noStreams(plan.name)
    await impairGuest(channel, { ...where, settings: netem && { ...netem, limit } })
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
