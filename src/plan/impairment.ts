/**
 * What happens to the packets that a node sends on a link. Times are in milliseconds, shares from 0 to 1, and `rate` is in
 * bit/s.
 */
export interface Impairment {
  readonly delayMs?: number | undefined
  /** Each delay differs by up to this. Needs `delayMs`. */
  readonly jitterMs?: number | undefined
  readonly loss?: number | undefined
  readonly duplicate?: number | undefined
  /** The share that is sent at once, ahead of what waits. Needs `delayMs`. */
  readonly reorder?: number | undefined
  /** The share in which one bit is flipped. */
  readonly corrupt?: number | undefined
  readonly rate?: number | undefined
  /** The cable is out: the guest sees no carrier. Nothing passes, in both directions. */
  readonly down?: boolean | undefined
  /** Nothing passes, in both directions, and the guest does not see why. Bridges alone have it. */
  readonly partition?: boolean | undefined
}

/** The part of an impairment that netem(8) makes, in its units: microseconds, shares, bit/s. */
export interface Netem {
  readonly delay?: number
  readonly jitter?: number
  readonly loss?: number
  readonly duplicate?: number
  readonly reorder?: number
  readonly corrupt?: number
  readonly rate?: number
}

export const longestDelayMs = 60_000
const times = ['delayMs', 'jitterMs'] as const
const shares = ['loss', 'duplicate', 'reorder', 'corrupt'] as const
const flags = ['down', 'partition'] as const
const order = [...times, ...shares, 'rate', ...flags] as const

/** What is wrong with an impairment. Undefined: nothing. */
export function impairmentProblem(asked: Impairment): string | undefined {
  const strange = Object.keys(asked).find(name => !(order as readonly string[]).includes(name))
  if (strange !== undefined) return `there is no '${strange}': an impairment has ${order.join(', ')}`
  const { delayMs = 0, jitterMs = 0, reorder = 0, rate = 0 } = asked
  for (const name of flags)
    if (!['boolean', 'undefined'].includes(typeof asked[name])) return `${name} is neither true nor false`
  for (const name of times) {
    const value = asked[name] ?? 0
    if (!(typeof value === 'number' && value >= 0 && value <= longestDelayMs))
      return `${name} is ${value}, and can be from 0 to ${longestDelayMs}`
  }
  for (const name of shares) {
    const value = asked[name] ?? 0
    if (!(typeof value === 'number' && value >= 0 && value <= 1))
      return `${name} is ${value}, and can be from 0 to 1`
  }
  if (!(Number.isInteger(rate) && rate >= 0 && (rate === 0 || rate >= 8)))
    return `rate is ${rate}, and is at least 8 bit/s`
  if (jitterMs > delayMs) return `jitterMs is ${jitterMs}, and delayMs only ${delayMs}`
  if (reorder > 0 && delayMs === 0) return 'reorder needs delayMs: only packets that wait can be overtaken'
  return undefined
}

/** What of an impairment changes something, always in the same order. An empty one: the link is whole. */
export function effective(asked: Impairment): Impairment {
  return Object.fromEntries(order.flatMap(name => (asked[name] ? [[name, asked[name]]] : [])))
}

/** Nothing that is sent arrives. */
export function isCut({ down = false, partition = false, loss = 0 }: Impairment): boolean {
  return down || partition || loss === 1
}

/** Undefined: netem has nothing to do. */
export function netemOf(asked: Impairment): Netem | undefined {
  const { delayMs, jitterMs, loss, duplicate, reorder, corrupt, rate } = effective(asked)
  const settings: Netem = {
    ...(delayMs && { delay: delayMs * 1000 }),
    ...(jitterMs && { jitter: jitterMs * 1000 }),
    ...(loss && { loss }),
    ...(duplicate && { duplicate }),
    ...(reorder && { reorder }),
    ...(corrupt && { corrupt }),
    ...(rate && { rate }),
  }
  return Object.keys(settings).length > 0 ? settings : undefined
}

/** What netem does, as an impairment. The kernel has rates in bytes. */
export function impairmentOf({ delay = 0, jitter = 0, rate = 0, ...shares }: Netem): Impairment {
  return effective({ ...shares, delayMs: delay / 1000, jitterMs: jitter / 1000, rate: rate - (rate % 8) })
}

/** `delay 20 ms, jitter 5 ms, loss 1 %`. Empty for a link that is whole. */
export function impairmentText(impairment: Impairment): string {
  return Object.entries(effective(impairment))
    .map(([name, value]) => {
      if (value === true) return name
      if (name.endsWith('Ms')) return `${name.slice(0, -2)} ${+Number(value).toFixed(3)} ms`
      return name === 'rate' ? `rate ${value} bit/s` : `${name} ${+(Number(value) * 100).toFixed(6)} %`
    })
    .join(', ')
}
