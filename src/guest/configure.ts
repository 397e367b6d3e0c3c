import { randomBytes } from 'node:crypto'
import type { GuestChannel } from './channel.ts'
import { type ConfigureOptions, clockStep, configureSteps } from './steps.ts'

type Told = Parameters<typeof configureSteps>[0]

/** On a busy machine a message waits for its turn, and the time in it grows old. */
const closeEnoughNs = 20_000_000n

/** Tells a guest who it is. */
export async function configure(
  wire: GuestChannel,
  plan: Told,
  known: Pick<ConfigureOptions, 'clone' | 'dnsPort'>,
): Promise<void> {
  const seed = randomBytes(48)
  await close(await wire.tell(configureSteps(plan, { ...known, nowNs: wallNs(), seed })), wire)
}

/** Sets a guest's clock: one that was paused stood still. */
export async function setClock(wire: GuestChannel): Promise<void> {
  await close(await wire.tell([clockStep(wallNs())]), wire)
}

/** The guest's clock is at most as late as its answer says: where that is too much, it is set once more. */
async function close(guestNs: bigint, wire: GuestChannel): Promise<void> {
  if (wallNs() - guestNs > closeEnoughNs) await wire.tell([clockStep(wallNs())])
}

/** Nanoseconds since 1970. */
function wallNs(): bigint {
  return BigInt(Date.now()) * 1_000_000n
}
