import type { ImpairedLink } from '../../api/index.ts'
import { Turns } from '../../base/index.ts'
import { impairGuest } from '../../guest/index.ts'
import { type Fabric, setTapUp } from '../../net/index.ts'
import {
  effective,
  type Impairment,
  impairmentProblem,
  type NodeNet,
  type NodePlan,
  netemOf,
} from '../../plan/index.ts'
import type { NetNamespace } from '../../sys/index.ts'
import { ClusterError, noStreams } from '../errors.ts'
import type { ClusterNode } from '../nodes/node.ts'

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
  readonly #links = new Map<ClusterNode, Map<string, Impairment>>()
  readonly #turns = new Turns<ClusterNode>()

  constructor(fabric: Fabric) {
    this.#fabric = fabric
  }

  list(nodes: readonly ClusterNode[]): ImpairedLink[] {
    return nodes.flatMap(node =>
      [...(this.#links.get(node) ?? [])].flatMap(([dev, impairment]) => {
        const net = node.plan.nets.find(each => each.dev === dev)?.net
        return net === undefined ? [] : [{ node: node.plan.name, dev, net, ...impairment }]
      }),
    )
  }

  /** Impairs a link in place of what impaired it. Without an impairment it is whole again. */
  async set(node: ClusterNode, dev: string, asked: Impairment): Promise<void> {
    const nic = nicOf(node, dev)
    const wanted = checked(node.plan.name, dev, asked)
    if (wanted.partition) this.#namespaceOf(nic)
    await this.#turns.run([node], async () => {
      const own = this.#links.get(node) ?? new Map<string, Impairment>()
      const had = own.get(dev) ?? {}
      await this.#change(node, nic, { had, wanted })
      if (Object.keys(wanted).length > 0) own.set(dev, wanted)
      else own.delete(dev)
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
  async adopt(node: ClusterNode, impaired: readonly ImpairedLink[]): Promise<void> {
    const own = impaired.filter(each => each.node === node.plan.name)
    for (const { node: _, dev, net, ...impairment } of own) {
      if (impairment.partition) await this.#setTap(nicOf(node, dev), false)
      const links = this.#links.get(node) ?? new Map<string, Impairment>()
      this.#links.set(node, links.set(dev, impairment))
    }
  }

  /** Throws NO_PARTITION for nodes with a link that this network cannot cut off. */
  refuse(plans: readonly NodePlan[]): void {
    for (const { nets, impairments = {} } of plans)
      for (const nic of nets) if (impairments[nic.dev]?.partition) this.#namespaceOf(nic)
  }

  async #change(node: ClusterNode, nic: NodeNet, { had, wanted }: Change): Promise<void> {
    const machine = node.mustRun() // refused before anything is changed
    const [before, after] = [netemOf(had), netemOf(wanted)]
    if (before || after) {
      const { channel } = node
      if (!channel) throw noStreams(node.plan.name)
      await impairGuest(channel, nic.dev, after && { ...after, limit })
    }
    if (Boolean(had.partition) !== Boolean(wanted.partition)) await this.#setTap(nic, !wanted.partition)
    if (Boolean(had.down) !== Boolean(wanted.down))
      await machine.setLink(node.plan.nets.indexOf(nic), !wanted.down)
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
  readonly had: Impairment
  readonly wanted: Impairment
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

/** What was asked without what changes nothing. Throws BAD_IMPAIRMENT. */
function checked(node: string, dev: string, asked: Impairment): Impairment {
  const wrong = impairmentProblem(asked)
  if (wrong !== undefined)
    throw new ClusterError({
      code: 'BAD_IMPAIRMENT',
      kind: 'usage',
      op: 'impair link',
      target: `${node}/${dev}`,
      reason: wrong,
    })
  return effective(asked)
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
