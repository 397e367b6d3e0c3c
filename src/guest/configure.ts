import type { GuestChannel } from './channel.ts'
import { type ConfigureOptions, clockStep, configureSteps } from './steps.ts'

type ConfiguredNode = Parameters<typeof configureSteps>[0]

/** How late a guest's clock may be, in nanoseconds. On a busy machine the time in a message is old when it is read. */
const toleranceNs = 20_000_000n

/** Configures a guest as the node of the plan: addresses, routes and, for a clone, its identity. */
export async function configure(
  channel: GuestChannel,
  plan: ConfiguredNode,
  known: Pick<ConfigureOptions, 'clone' | 'dnsPort'>,
): Promise<void> {
  const seed = channel.randomBytes(48)
  const guestNs = await channel.apply(configureSteps(plan, { ...known, nowNs: channel.wallNs(), seed }))
  await correctClock(channel, guestNs)
}

/** Sets a guest's clock, after a pause in which it stopped. */
export async function setClock(channel: GuestChannel): Promise<void> {
  await correctClock(channel, await channel.apply([clockStep(channel.wallNs())]))
}

/** Sets the guest's clock once more if its answer shows that it is too late. It is at most as late as that. */
async function correctClock(channel: GuestChannel, guestNs: bigint): Promise<void> {
  if (channel.wallNs() - guestNs > toleranceNs) await channel.apply([clockStep(channel.wallNs())])
}
