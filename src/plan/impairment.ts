/** Which packets of a link, seen from its node. */
export const directions = ['sent', 'received', 'both'] as const
export type Direction = (typeof directions)[number]

/** What happens to the packets in one direction of a link. Times are in milliseconds, shares from 0 to 1, and `rate` is in bit/s. */
export interface Shaping {
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
  /** The same one chooses the same packets to lose, delay, duplicate, reorder and corrupt. Kernels from 6.7 on have it. */
  readonly seed?: number | undefined
}

/** What is asked of a link, or said of it. */
export interface Impairment extends Shaping {
  /** The packets that it concerns: those that the node sends (default), those that it receives, or both. */
  readonly direction?: Direction | undefined
  /** The cable is out: the guest sees no carrier. Nothing passes, in both directions. */
  readonly down?: boolean | undefined
  /** Nothing passes, in both directions, and the guest does not see why. Bridges alone have it. */
  readonly partition?: boolean | undefined
}

/** All that impairs a link: what its node sends, what cuts it off, and what its node receives. */
export interface LinkImpairments extends Shaping {
  readonly down?: boolean | undefined
  readonly partition?: boolean | undefined
  readonly received?: Shaping
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
  readonly seed?: number
}

export const longestDelayMs = 60_000
const times = ['delayMs', 'jitterMs'] as const
const shares = ['loss', 'duplicate', 'reorder', 'corrupt'] as const
const flags = ['down', 'partition'] as const
const order = [...times, ...shares, 'rate', 'seed', ...flags] as const

/** What is wrong with an impairment. Undefined: nothing. */
export function impairmentProblem(asked: Impairment): string | undefined {
  const known: readonly string[] = [...order, 'direction']
  const strange = Object.keys(asked).find(name => !known.includes(name))
  if (strange !== undefined) return `there is no '${strange}': an impairment has ${known.join(', ')}`
  const { direction, delayMs = 0, jitterMs = 0, reorder = 0, rate = 0, seed = 0 } = asked
  if (direction !== undefined && !directions.includes(direction))
    return `direction is ${direction}, and can be ${directions.join(', ')}`
  if (direction === 'received' && (asked.down || asked.partition))
    return `${asked.down ? 'down' : 'partition'} concerns both directions, and not only what is received`
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
  if (!(Number.isSafeInteger(seed) && seed >= 0))
    return `seed is ${seed}, and is a whole number up to ${Number.MAX_SAFE_INTEGER}`
  if (seed > 0 && ![jitterMs, ...shares.map(name => asked[name])].some(Boolean))
    return `seed needs jitterMs, ${shares.join(', ')}: nothing else is left to chance`
  if (jitterMs > delayMs) return `jitterMs is ${jitterMs}, and delayMs only ${delayMs}`
  if (reorder > 0 && delayMs === 0) return 'reorder needs delayMs: only packets that wait can be overtaken'
  return undefined
}

/** What of an impairment changes something, always in the same order and without its direction. An empty one: nothing. */
export function effective(asked: Impairment): Omit<Impairment, 'direction'> {
  return Object.fromEntries(order.flatMap(name => (asked[name] ? [[name, asked[name]]] : [])))
}

/** What impairs a link after it was asked for, in place of what impaired that direction. Nothing, and no direction: it is whole. */
export function impaired(had: LinkImpairments, asked: Impairment): LinkImpairments {
  const { direction = 'sent' } = asked
  const given = effective(asked)
  if (asked.direction === undefined && isEmpty(given)) return {}
  const sent = direction === 'received' ? effective(had) : given
  const received = direction === 'sent' ? had.received : shapingOf(given)
  return linkOf(sent, received)
}

/** The same, one entry for each direction, and one for each way to cut it off. */
export function partsOf({ received = {}, ...own }: LinkImpairments): Impairment[] {
  const { down, partition } = own
  const parts: Impairment[] = [
    { direction: 'sent', ...shapingOf(own) },
    { direction: 'received', ...shapingOf(received) },
    { direction: 'both', ...(down && { down }) },
    { direction: 'both', ...(partition && { partition }) },
  ]
  return parts.filter(part => Object.keys(part).length > 1)
}

/** The opposite of {@link partsOf}. A part without a direction is of earlier versions: what the node sends. */
export function joined(parts: readonly Impairment[]): LinkImpairments {
  const own = parts.filter(({ direction }) => direction !== 'received').map(effective)
  const received = parts.filter(({ direction }) => direction === 'received').map(effective)
  return linkOf(effective(Object.assign({}, ...own)), Object.assign({}, ...received))
}

function linkOf(own: Impairment, received: Shaping = {}): LinkImpairments {
  return { ...own, ...(!isEmpty(received) && { received }) }
}

export function isWhole(link: LinkImpairments): boolean {
  return isEmpty(linkOf(effective(link), link.received))
}

const isEmpty = (value: object): boolean => Object.keys(value).length === 0

function shapingOf(asked: Impairment): Shaping {
  const { down: _, partition: __, ...shaping } = effective(asked)
  return shaping
}

/** Nothing that is sent arrives, or nothing that arrives is received. */
export function isCut({ down = false, partition = false, loss = 0, received }: LinkImpairments): boolean {
  return down || partition || loss === 1 || received?.loss === 1
}

/** Undefined: netem has nothing to do. */
export function netemOf(asked: Shaping): Netem | undefined {
  const { delayMs, jitterMs, loss, duplicate, reorder, corrupt, rate, seed } = effective(asked)
  const settings: Netem = {
    ...(delayMs && { delay: delayMs * 1000 }),
    ...(jitterMs && { jitter: jitterMs * 1000 }),
    ...(loss && { loss }),
    ...(duplicate && { duplicate }),
    ...(reorder && { reorder }),
    ...(corrupt && { corrupt }),
    ...(rate && { rate }),
    ...(seed && { seed }),
  }
  return Object.keys(settings).length > 0 ? settings : undefined
}

/** What netem does, as an impairment. The kernel has rates in bytes. */
export function impairmentOf({ delay = 0, jitter = 0, rate = 0, ...shares }: Netem): Shaping {
  return effective({ ...shares, delayMs: delay / 1000, jitterMs: jitter / 1000, rate: rate - (rate % 8) })
}

/** `delay 20 ms, jitter 5 ms, loss 1 %`. Empty for a link that is whole. */
export function impairmentText(impairment: Impairment): string {
  return Object.entries(effective(impairment))
    .map(([name, value]) => {
      if (value === true) return name
      if (name.endsWith('Ms')) return `${name.slice(0, -2)} ${+Number(value).toFixed(3)} ms`
      if (name === 'seed') return `seed ${value}`
      return name === 'rate' ? `rate ${value} bit/s` : `${name} ${+(Number(value) * 100).toFixed(6)} %`
    })
    .join(', ')
}
