import { nodeName } from '../../base/index.ts'
import type { NamedLink } from '../../net/index.ts'
import type { ClusterPlan, TapSpec } from '../../plan/index.ts'
import { ClusterError } from '../errors.ts'

/** A node's interface as the host sees it. Throws CAPTURE_INTERFACE for one that exists in the guest alone. */
export function seenAs(
  { nodes, bridges }: Pick<ClusterPlan, 'nodes' | 'bridges'>,
  { id, dev, name }: { readonly id: number; readonly dev: string; readonly name: string },
): TapSpec {
  const nets = nodes.find(node => node.id === id)!.nets
  const net = nets.find(each => each.dev === dev)?.net
  const tap = bridges.taps.find(each => each.node === id && each.net === net)
  if (tap) return tap
  throw new ClusterError({
    code: 'CAPTURE_INTERFACE',
    kind: 'usage',
    op: 'capture',
    target: `${dev} of ${name}`,
    reason: `the host sees ${nets.map(each => each.dev).join(', ')}, and others exist in the guest alone`,
    remedy: 'Name one of these, or run a program in the guest',
  })
}

/** Which links: those of these nodes on these nets. Absent: of all nodes, on all nets. */
export interface LinkChoice {
  readonly nodes?: readonly number[] | undefined
  readonly nets?: readonly number[] | undefined
}

/**
 * The links of a cluster that are chosen so, in the order of nodes and their interfaces. The nodes exist. Throws
 * NET_MISSING for a net without a node, and CAPTURE_INTERFACE when none of the nodes is on one of the nets.
 */
export function chosenLinks(
  { nodes, bridges }: Pick<ClusterPlan, 'nodes' | 'bridges'>,
  { nodes: ids, nets }: LinkChoice,
): NamedLink[] {
  const there = new Set(bridges.taps.map(({ net }) => net))
  const missing = nets?.find(net => !there.has(net))
  if (missing !== undefined) throw netMissing(missing, there)
  const links = nodes.flatMap(({ id, name, nets: own }) =>
    own.flatMap(({ dev, net }) => {
      const spec = bridges.taps.find(tap => tap.node === id && tap.net === net)
      const isChosen = (ids?.includes(id) ?? true) && (nets?.includes(net) ?? true)
      return spec && isChosen ? [{ name: `${name}/${dev}`, spec }] : []
    }),
  )
  if (links.length > 0) return links
  throw new ClusterError({
    code: 'CAPTURE_INTERFACE',
    kind: 'usage',
    op: 'capture',
    target: `${(ids ?? []).map(nodeName).join(', ')} on net ${(nets ?? []).join(', ')}`,
    reason: 'none of these nodes is connected to one of these nets',
    remedy: 'Name one that a node is connected to, or no net',
  })
}

function netMissing(net: number, there: ReadonlySet<number>): ClusterError {
  const reason = `no node is connected to it; the cluster has ${[...there].sort((a, b) => a - b).join(', ')}`
  return new ClusterError({
    code: 'NET_MISSING',
    kind: 'missing',
    op: 'capture',
    target: `net ${net}`,
    reason,
  })
}
