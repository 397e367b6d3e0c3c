import { firstFailure, messageOf, XclusterError } from '../base/index.ts'

/** A cluster that cannot be started or changed, or a node that cannot do what was asked of it. */
export class ClusterError extends XclusterError {}

export function startCancelled(target: string, cause?: unknown): ClusterError {
  const reason = 'start cancelled; everything it had started has been removed'
  return new ClusterError({ code: 'START_CANCELLED', op: 'start cluster', target, reason, cause })
}

export function clusterStopping(target: string, cause?: unknown): ClusterError {
  const reason = 'the cluster is being stopped'
  return new ClusterError({ code: 'CLUSTER_STOPPING', op: 'change cluster', target, reason, cause })
}

/** The caller no longer waits; what it asked for goes on. */
export function waitAborted(op: string, target: string, cause: unknown): ClusterError {
  const reason = 'the signal of the caller aborted; what had begun continues'
  return new ClusterError({ code: 'WAIT_ABORTED', op, target, reason, cause })
}

/** An operation whose caller's signal had aborted before it began. */
export function notBegun(op: string, target: string, cause: unknown): ClusterError {
  const reason = 'the signal of the caller had aborted before; nothing has begun'
  return new ClusterError({ code: 'WAIT_ABORTED', op, target, reason, cause })
}

/** The failure to throw. When the rollback failed too, that failure becomes a notice. */
export function firstOf(failure: unknown, notice: (text: string) => void): unknown {
  const first = firstFailure(failure)
  const { error } = (failure ?? {}) as { error?: unknown }
  if (first !== failure && error !== undefined) notice(`The rollback is incomplete: ${messageOf(error)}`)
  return first
}

/** What runs in a node when it is to be frozen. */
export function nodeBusy(target: string, count: number): ClusterError {
  return new ClusterError({
    code: 'NODE_BUSY',
    op: 'freeze node',
    target,
    reason: `${count} command${count > 1 ? 's run' : ' runs'} there, and would have no reader in a fork`,
    remedy: 'Wait for their end, or start them in the background',
  })
}

export function noStreams(node: string): ClusterError {
  return new ClusterError({
    code: 'EXEC_NO_CHANNEL',
    op: 'run a command on',
    target: node,
    reason: 'no xcluster-guest answers in the guest, so commands have no streams there',
    remedy: 'A program can run it with cluster.exec() if the guest has a QEMU guest agent',
  })
}
