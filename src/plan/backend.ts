import type { Direction, Shaping } from './impairment.ts'

/** What makes an impairment. */
export const backends = [
  ...(['netem in the guest', 'netem on the tap', 'nftables on the tap', 'tbf on the tap'] as const),
  ...(['nftables and tbf on the tap', 'QEMU', 'tap'] as const),
] as const
export type Backend = (typeof backends)[number]

/** What can impair a link of a node. */
export interface Abilities {
  /** An xcluster-guest answers in its guest. */
  readonly guest: boolean
  /** The host has a tap for it. */
  readonly tap: boolean
  /** The host's kernel has netem. Not looked for where the guest answers. */
  readonly netem: boolean
}

/** What makes it, or why nothing can. */
export type Choice = { readonly by: Backend } | { readonly lacks: string }

/**
 * Chooses what makes an impairment of one direction. The guest's own netem comes first: a verification reads it, a fork
 * takes it along. Without it netem on the tap does all of it; filters and a token bucket there do a part. Pure.
 */
export function backendFor(
  direction: Exclude<Direction, 'both'>,
  { loss = 0, rate = 0, ...others }: Shaping,
  { guest, tap, netem }: Abilities,
): Choice {
  if (guest) return { by: 'netem in the guest' }
  const mute = 'no xcluster-guest answers in its guest'
  if (!tap) return { lacks: `${mute}, and the host has no tap for it` }
  if (netem) return { by: 'netem on the tap' }
  const more = Object.entries(others).flatMap(([name, value]) => (value ? [name] : []))
  if (more.length > 0)
    return {
      lacks: `${mute}, and ${more.join(', ')} on the host's tap need sch_netem, which this kernel lacks`,
    }
  if (rate && direction === 'sent')
    return {
      lacks: `${mute}, and a rate of what it sends needs sch_netem on the host, which this kernel lacks`,
    }
  if (loss && rate) return { by: 'nftables and tbf on the tap' }
  return { by: rate ? 'tbf on the tap' : 'nftables on the tap' }
}
