import type { ImpairedLink, Impairment } from '../../api/index.ts'
import { Turns } from '../../base/index.ts'
import { impairGuest } from '../../guest/index.ts'
import { type Fabric, setTapUp } from '../../net/index.ts'
import type { NodeNet } from '../../plan/index.ts'
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
      [...(this.#links.get(node) ?? [])].map(([dev, impairment]) => {
        const { net } = node.plan.nets.find(each => each.dev === dev)!
        return { node: node.plan.name, dev, net, ...impairment }
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

  /** A guest that starts afresh has whole links: what the host does to them ends, too. */
  async forget(nodes: readonly ClusterNode[]): Promise<void> {
    for (const node of nodes) {
      for (const [dev, { partition }] of this.#links.get(node) ?? [])
        if (partition) await this.#setTap(nicOf(node, dev), true)
      this.#links.delete(node)
    }
  }

  async #change(node: ClusterNode, nic: NodeNet, { had, wanted }: Change): Promise<void> {
    const machine = node.mustRun() // refused before anything is changed
    const [before, after] = [netemOf(had), netemOf(wanted)]
    if (before || after) {
      const { channel } = node
      if (!channel) throw noStreams(node.plan.name)
      await impairGuest(channel, nic.dev, after)
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
  const wrong = wrongIn(asked)
  if (wrong !== undefined)
    throw new ClusterError({
      code: 'BAD_IMPAIRMENT',
      kind: 'usage',
      op: 'impair link',
      target: `${node}/${dev}`,
      reason: wrong,
    })
  return Object.fromEntries(
    Object.entries(asked).filter(([, value]) => value !== undefined && value !== false && value !== 0),
  )
}

const longestMs = 60_000
const shares = ['loss', 'duplicate', 'reorder', 'corrupt'] as const

function wrongIn(asked: Impairment): string | undefined {
  const { delayMs = 0, jitterMs = 0, reorder = 0, rate = 0 } = asked
  for (const name of ['delayMs', 'jitterMs'] as const) {
    const value = asked[name] ?? 0
    if (!(value >= 0 && value <= longestMs)) return `${name} is ${value}, and can be from 0 to ${longestMs}`
  }
  for (const name of shares) {
    const value = asked[name] ?? 0
    if (!(value >= 0 && value <= 1)) return `${name} is ${value}, and can be from 0 to 1`
  }
  if (!(Number.isInteger(rate) && rate >= 0 && (rate === 0 || rate >= 8)))
    return `rate is ${rate}, and is at least 8 bit/s`
  if (jitterMs > delayMs) return `jitterMs is ${jitterMs}, and delayMs only ${delayMs}`
  if (reorder > 0 && delayMs === 0) return 'reorder needs delayMs: only packets that wait can be overtaken'
  return undefined
}

/** In netem's units. Undefined: it has nothing to do. */
function netemOf({
  delayMs = 0,
  jitterMs = 0,
  rate,
  ...rest
}: Impairment): Parameters<typeof impairGuest>[2] {
  const { loss, duplicate, reorder, corrupt } = rest
  const settings = {
    ...(delayMs > 0 && { delay: delayMs * 1000, ...(jitterMs > 0 && { jitter: jitterMs * 1000 }) }),
    ...Object.fromEntries(
      Object.entries({ loss, duplicate, reorder, corrupt, rate }).filter(([, value]) => value),
    ),
  }
  return Object.keys(settings).length > 0 ? { ...settings, limit } : undefined
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
