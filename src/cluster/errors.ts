import { XclusterError } from '../base/index.ts'

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

/** What an examination of this machine found missing by itself; others throw their own floors' errors. */
export function lack(reason: string, remedy: string): ClusterError {
  return new ClusterError({ code: 'MACHINE_LACKS', kind: 'prerequisite', reason, remedy })
}
