import type { Clock } from '../../base/index.ts'
import { drain, type GuestChannel, wakeUp } from '../../guest/index.ts'
import { runCommand } from '../../stream/index.ts'
import type { Machine } from '../../vm/index.ts'

/** Lets a VM that was frozen go on, and gives its guest time and randomness of its own. */
export async function resumeFrozen(qmp: Machine['qmp'], channel: GuestChannel): Promise<void> {
  await qmp.execute('cont')
  await wakeUp(channel)
}

/**
 * The same, and runs a command: QEMU's translator has then seen that code. Resolves with the function by which the VM stands
 * still again, with nothing on its way to or from its guest.
 */
export async function warmUp(
  qmp: Machine['qmp'],
  channel: GuestChannel,
  clock: Clock,
): Promise<() => Promise<unknown>> {
  await resumeFrozen(qmp, channel)
  await runCommand(channel.streams, ['true'], { clock })
  await drain(channel)
  return () => qmp.execute('stop')
}
