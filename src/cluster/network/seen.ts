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
