import type { NetemSettings } from '../rtnl/index.ts'
import type { GuestChannel } from './channel.ts'
import { GuestKernel } from './kernel.ts'

/**
 * Delays, loses and changes what an interface of the guest sends, by sch_netem of its own kernel, in place of what it had.
 * Undefined: nothing any more. Throws QDISC_MISSING where that kernel has none.
 */
export async function impairGuest(
  channel: GuestChannel,
  dev: string,
  settings: Omit<NetemSettings, 'kind'> | undefined,
): Promise<void> {
  await using kernel = new GuestKernel(channel)
  const { qdiscs } = kernel.route()
  if (settings) return await qdiscs.replace({ link: dev, kind: 'netem', ...settings })
  if ((await qdiscs.list({ link: dev })).some(({ kind }) => kind === 'netem'))
    await qdiscs.remove({ link: dev })
}
