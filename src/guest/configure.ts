import type { GuestChannel } from './channel.ts'
import { type ConfigureOptions, clockStep, configureSteps } from './steps.ts'

type Told = Parameters<typeof configureSteps>[0]

/** On a busy machine a message waits for its turn, and the time in it grows old. */
const closeEnoughNs = 20_000_000n

/** Tells a guest who it is. */
export async function configure(
  channel: GuestChannel,
  plan: Told,
  known: Pick<ConfigureOptions, 'clone' | 'dnsPort'>,
): Promise<void> {
  const seed = channel.randomBytes(48)
  await close(await channel.tell(configureSteps(plan, { ...known, nowNs: channel.wallNs(), seed })), channel)
}

/** Sets a guest's clock: one that was paused stood still. */
export async function setClock(channel: GuestChannel): Promise<void> {
  await close(await channel.tell([clockStep(channel.wallNs())]), channel)
}

/** The guest's clock is at most as late as its answer says: where that is too much, it is set once more. */
async function close(guestNs: bigint, channel: GuestChannel): Promise<void> {
  if (channel.wallNs() - guestNs > closeEnoughNs) await channel.tell([clockStep(channel.wallNs())])
}
