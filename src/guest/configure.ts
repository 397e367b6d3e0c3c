import { countdown } from '../base/index.ts'
import type { GuestChannel } from './channel.ts'
import { type ConfigureOptions, clockStep, configureSteps, reseed } from './steps.ts'

type ConfiguredNode = Parameters<typeof configureSteps>[0]

/** For all that a starting node needs, its overlays' scripts included: a busy machine starts many at once. */
const startMs = 60_000
/** For a change of a node that runs: a guest that takes longer does not delay the others' changes. */
export const changeMs = 10_000

/** How late a guest's clock may be, in nanoseconds. On a busy machine the time in a message is old when it is read. */
const toleranceNs = 20_000_000n

/** Configures a guest as the node of the plan: addresses, routes and, for a clone, its identity. */
export async function configure(
  channel: GuestChannel,
  plan: ConfiguredNode,
  known: Pick<ConfigureOptions, 'clone' | 'dnsPort' | 'domain' | 'scripts' | 'seeded'>,
): Promise<void> {
  const seed = channel.randomBytes(48)
  const left = countdown(channel.clock, startMs)
  const guestNs = await channel.apply(
    configureSteps(plan, { ...known, nowNs: channel.wallNs(), seed }),
    left(),
  )
  await correctClock(channel, guestNs, left)
}

/** Gives a guest that was saved randomness and time of its own. Everything else of it stays as it was. */
export async function wakeUp(channel: GuestChannel): Promise<void> {
  const left = countdown(channel.clock, startMs)
  const steps = [reseed(channel.randomBytes(32)), clockStep(channel.wallNs())]
  await correctClock(channel, await channel.apply(steps, left()), left)
}

/** Waits until the guest has carried out all that it was sent, and all that it said has come. */
export async function drain(channel: GuestChannel): Promise<void> {
  await channel.apply([], changeMs)
}

/** Sets a guest's clock, after a pause in which it stopped. `left` gives the milliseconds for that. */
export async function setClock(channel: GuestChannel, left: () => number): Promise<void> {
  await correctClock(channel, await channel.apply([clockStep(channel.wallNs())], left()), left)
}

/** Sets the guest's clock once more if its answer shows that it is too late. It is at most as late as that. */
async function correctClock(channel: GuestChannel, guestNs: bigint, left: () => number): Promise<void> {
  if (channel.wallNs() - guestNs > toleranceNs) await channel.apply([clockStep(channel.wallNs())], left())
}
