import { nodeName, settingText } from '../base/index.ts'
import { FleetError } from './errors.ts'

/** What the placement has to know of a node. */
export interface PlacedNode {
  readonly id: number
  /** What it takes of its host's memory. */
  readonly needMiB: number
  /** What the template of nodes with as much memory takes, once on each host that has one. 0: there is no template. */
  readonly templateMiB: number
  readonly vcpus: number
  readonly nets: readonly number[]
}

/** What a host gives to a lab. */
export interface HostRoom {
  /** `host 2 (10.0.0.3)` */
  readonly name: string
  readonly freeMiB: number
  readonly processors: number
}

/** The host of each node, by its id. */
export type Placement = ReadonlyMap<number, number>

/**
 * Places nodes on hosts: those with a host of their own there, and of the others as many processors on each host as it has
 * a share of all. What is joined by nets, apart from net 0, stays on one host where it fits; else it is cut where few nets
 * are. Memory is a limit, processors are not. Throws HOST_TOO_SMALL and HOST_NUMBER. It depends on its arguments alone.
 */
export function place(
  nodes: readonly PlacedNode[],
  hosts: readonly HostRoom[],
  ownHost: (id: number) => number | undefined = () => undefined,
): Placement {
  const placing = new Placing(nodes, hosts)
  const free: PlacedNode[] = []
  for (const node of nodes) {
    const host = ownHost(node.id)
    if (host === undefined) free.push(node)
    else placing.putOn(node, host)
  }
  const groups = groupsOf(free).map(group => ({ group, vcpus: sum(group, 'vcpus') }))
  for (const { group } of groups.sort((a, b) => b.vcpus - a.vcpus)) placing.putAll(group)
  return placing.placed
}

const sum = (nodes: readonly PlacedNode[], what: 'vcpus' | 'needMiB') =>
  nodes.reduce((total, node) => total + node[what], 0)

/** What nodes take together, besides the templates that a host may have already. */
interface Need {
  readonly needMiB: number
  readonly templates: ReadonlySet<number>
}

function needOf(nodes: readonly PlacedNode[]): Need {
  return {
    needMiB: sum(nodes, 'needMiB'),
    templates: new Set(nodes.map(({ templateMiB }) => templateMiB)),
  }
}

/** What is left of a host. */
interface Left {
  freeMiB: number
  share: number
  readonly templates: Set<number>
}

function needOn({ templates: there }: Left, { needMiB, templates }: Need): number {
  let need = needMiB
  for (const templateMiB of templates) if (!there.has(templateMiB)) need += templateMiB
  return need
}

/** How much of a node may stand over the share of its host. */
const over = 1 / 2

class Placing {
  readonly placed = new Map<number, number>()
  readonly #hosts: readonly HostRoom[]
  /** What is left of each host, in the order of the hosts. */
  readonly #left: readonly Left[]

  constructor(nodes: readonly PlacedNode[], hosts: readonly HostRoom[]) {
    this.#hosts = hosts
    const all = hosts.reduce((total, { processors }) => total + processors, 0)
    const vcpus = sum(nodes, 'vcpus')
    this.#left = hosts.map(({ freeMiB, processors }) => ({
      ...{ freeMiB, share: (vcpus * processors) / all, templates: new Set<number>() },
    }))
  }

  putOn(node: PlacedNode, host: number): void {
    const left = this.#left[host]
    if (!left) throw noHost(node.id, { host, count: this.#hosts.length })
    const need = needOn(left, needOf([node]))
    if (left.freeMiB < need) throw tooSmall(node.id, need, { host: this.#hosts[host]!.name, ...left })
    this.#take(node, host)
  }

  putAll(group: readonly PlacedNode[]): void {
    let host = this.#best(needOf(group))
    const fits = host !== undefined && this.#left[host]!.share >= sum(group, 'vcpus') - group[0]!.vcpus * over
    if (!fits) host = undefined
    for (const node of group) {
      const need = needOf([node])
      const left = host === undefined ? undefined : this.#left[host]!
      const isFull = !left || left.freeMiB < needOn(left, need) || left.share < node.vcpus * over
      if (isFull) host = this.#best(need)
      if (host === undefined) throw this.#noRoom(node)
      this.#take(node, host)
    }
  }

  /** The host with the most processors left of those that have the memory; of equal ones the first. */
  #best(need: Need): number | undefined {
    let best: number | undefined
    for (let host = 0; host < this.#left.length; host++) {
      const left = this.#left[host]!
      const isBetter = best === undefined || left.share > this.#left[best]!.share
      if (isBetter && left.freeMiB >= needOn(left, need)) best = host
    }
    return best
  }

  #take(node: PlacedNode, host: number): void {
    const left = this.#left[host]!
    left.freeMiB -= needOn(left, needOf([node]))
    left.share -= node.vcpus
    left.templates.add(node.templateMiB)
    this.placed.set(node.id, host)
  }

  #noRoom(node: PlacedNode): FleetError {
    const most = this.#left.reduce((a, b, at) => (b.freeMiB > this.#left[a]!.freeMiB ? at : a), 0)
    const left = this.#left[most]!
    return tooSmall(node.id, needOn(left, needOf([node])), { host: this.#hosts[most]!.name, ...left })
  }
}

/** The nodes that nets join, apart from net 0: each group from a first node on, over small nets first. */
function groupsOf(nodes: readonly PlacedNode[]): PlacedNode[][] {
  const onNet = new Map<number, PlacedNode[]>()
  for (const node of nodes)
    for (const net of node.nets) {
      if (net === 0) continue
      const members = onNet.get(net)
      if (members) members.push(node)
      else onNet.set(net, [node])
    }
  const seen = new Set<PlacedNode>()
  const walked = new Set<number>()
  const size = (net: number) => onNet.get(net)!.length
  const groupFrom = (first: PlacedNode): PlacedNode[] => {
    const group = [first]
    seen.add(first)
    for (const node of group) {
      const nets = node.nets.filter(net => net !== 0 && !walked.has(net))
      for (const net of nets.sort((a, b) => size(a) - size(b))) {
        walked.add(net)
        for (const next of onNet.get(net)!) {
          if (seen.has(next)) continue
          seen.add(next)
          group.push(next)
        }
      }
    }
    return group
  }
  return nodes.flatMap(node => (seen.has(node) ? [] : [groupFrom(node)]))
}

function tooSmall(
  id: number,
  needMiB: number,
  { host, freeMiB }: { readonly host: string; readonly freeMiB: number },
): FleetError {
  return new FleetError({
    code: 'HOST_TOO_SMALL',
    kind: 'prerequisite',
    op: 'place',
    target: nodeName(id),
    reason: `it needs ${Math.ceil(needMiB)} MiB, and ${host} has ${Math.max(0, Math.floor(freeMiB))} MiB left`,
    remedy: `Use more hosts or larger ones, or give nodes less memory (${settingText('mem')})`,
  })
}

function noHost(id: number, { host, count }: { host: number; count: number }): FleetError {
  return new FleetError({
    code: 'HOST_NUMBER',
    kind: 'usage',
    op: 'place',
    target: nodeName(id),
    reason: `it shall be on host ${host}, and there are ${count}, numbered from 0`,
    remedy: 'Use more hosts, or another number under host: in the topology file',
  })
}
