import { firstFailure, messageOf, XclusterError } from '../base/index.ts'

/** A cluster that cannot be planned or started, or a node that did not do what it should. */
export class ClusterError extends XclusterError {}

export function startCancelled(target: string, cause?: unknown): ClusterError {
  const reason = 'it was called off; all that had been started is gone'
  return new ClusterError({ code: 'START_CANCELLED', op: 'start cluster', target, reason, cause })
}

export function clusterStopping(target: string, cause?: unknown): ClusterError {
  const reason = 'it is being stopped'
  return new ClusterError({ code: 'CLUSTER_STOPPING', op: 'change cluster', target, reason, cause })
}

/** The failure to throw, where taking back what had been done may have failed too: that is told by a notice. */
export function firstOf(failure: unknown, notice: (text: string) => void): unknown {
  const first = firstFailure(failure)
  const { error } = failure as { error?: unknown }
  if (first !== failure && error !== undefined)
    notice(`Not everything could be taken back: ${messageOf(error)}`)
  return first
}
