import type { NodeState } from '../../api/index.ts'
import { callText } from '../../base/index.ts'
import type { NodePlan } from '../../plan/index.ts'
import { ClusterError } from '../errors.ts'

interface Unready {
  readonly plan: Pick<NodePlan, 'id' | 'name'>
  readonly state: NodeState
  /** Why it failed. */
  readonly reason: string | undefined
}

/** A node that cannot be used as it is. */
export function notReady({ plan, state, reason = `it is ${state}` }: Unready): ClusterError {
  const remedy = remedyOf(plan.id, state)
  return new ClusterError({
    code: 'NODE_NOT_READY',
    op: 'use node',
    target: plan.name,
    reason,
    ...(remedy !== undefined && { remedy }),
  })
}

/** A failed or stopped node is replaced by a reset. Its console log stays. */
function remedyOf(id: number, state: NodeState): string | undefined {
  if (state === 'stopped') return `Start it afresh: ${callText('reset', id)}`
  if (state === 'failed') return `Replace it: ${callText('reset', id)}; its console has more`
  return state === 'paused' ? `Resume it: ${callText('resume', id)}` : undefined
}
