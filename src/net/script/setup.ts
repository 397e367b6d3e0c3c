import type { NetNamespace } from '../../sys/index.ts'

/** What QEMU is told of one interface, by whoever is asked. */
export interface QemuNetOptions {
  /** QEMU's options as words, or as text that is split at white space. `{fd0}` … stand for `fds`. */
  readonly args: string | readonly string[]
  /** To be passed on. They stay the answerer's, to be closed when the node's VM is gone. */
  readonly fds?: readonly number[]
}

/** What is known of the interface. */
export interface NetSetupContext {
  readonly mtu: number
  /** The address that it has by plan. */
  readonly mac: string
  /** The cluster's, where its QEMUs run; none in user space. */
  readonly namespace: NetNamespace | undefined
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal
}

/**
 * Says what a node's interface on a net is, instead of the usual tap on a bridge: asked once for each, in order,
 * whenever its VM is started. When it throws, that VM fails and only that.
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

/** For functions, which may not look at their signal: nobody waits for what comes after that. */
export function impatient(setup: NetSetup): NetSetup {
  return (node, net, context) => {
    const { signal } = context
    return new Promise((resolve, reject) => {
      const callOff = () => reject(signal.reason)
      signal.addEventListener('abort', callOff, { once: true })
      const answer = (async () => await setup(node, net, context))()
      answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', callOff))
    })
  }
}
