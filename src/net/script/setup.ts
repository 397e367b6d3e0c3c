import type { NetNamespace } from '../../sys/index.ts'

/** QEMU's description of one interface. */
export interface QemuNetOptions {
  /** QEMU options as words, or as text that is split at white space. `{fd0}` … stand for `fds`. */
  readonly args: string | readonly string[]
  /** Descriptors for QEMU to inherit. Their owner closes them after the node's VM has ended. */
  readonly fds?: readonly number[]
}

/** The properties of the interface. */
export interface NetSetupContext {
  readonly mtu: number
  /** Its planned Ethernet address. */
  readonly mac: string
  /** The namespace of the cluster, in which its QEMUs run; none in user space. */
  readonly namespace: NetNamespace | undefined
  /** Aborted when the answer is no longer needed. */
  readonly signal: AbortSignal
}

/**
 * Describes a node's interface on a net, instead of the usual tap on a bridge. It is called once for each, in order,
 * whenever the node's VM starts. When it throws, that VM fails and no other.
 *
 * ```ts
 * const net: NetSetup = (node, net, { mac }) => ({
 *   args: `-netdev tap,id=net${net},ifname=tap${net}_${node} -device e1000,netdev=net${net},mac=${mac}`,
 * })
 * ```
 */
export type NetSetup = (
  node: number,
  net: number,
  context: NetSetupContext,
) => QemuNetOptions | Promise<QemuNetOptions>

/** For functions that may ignore their signal: after an abort their answer is not awaited. */
export function impatient(setup: NetSetup): NetSetup {
  return (node, net, context) => {
    const { signal } = context
    return new Promise((resolve, reject) => {
      const cancel = () => reject(signal.reason)
      signal.addEventListener('abort', cancel, { once: true })
      const answer = (async () => await setup(node, net, context))()
      answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', cancel))
    })
  }
}
