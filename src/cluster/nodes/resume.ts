import { type GuestChannel, wakeUp } from '../../guest/index.ts'
import type { Machine } from '../../vm/index.ts'

/** Lets a VM that was frozen go on, and gives its guest time and randomness of its own. */
export async function resumeFrozen(qmp: Machine['qmp'], channel: GuestChannel): Promise<void> {
  await qmp.execute('cont')
  await wakeUp(channel)
}
