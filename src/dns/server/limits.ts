/** The limits of one listener's TCP connections. */
export interface StreamLimits {
  /** The most connections. A further one closes one of the address that has most: that idle longest. */
  readonly connections: number
  /** The most connections from one address. A further one closes that of it which has been idle longest. */
  readonly perAddress: number
  /** How long a connection may be idle, in milliseconds: while few are open, and when the limit is reached. */
  readonly idleMs: number
  readonly crowdedIdleMs: number
  /** How long a client may take to read its answers, in milliseconds. */
  readonly readMs: number
  /** The most queries of one connection that wait for upstreams. */
  readonly waiting: number
  /** The most bytes of answers that one connection has not read yet. */
  readonly unread: number
}

export const usualLimits: StreamLimits = {
  connections: 1000,
  perAddress: 500,
  idleMs: 30_000,
  crowdedIdleMs: 2000,
  readMs: 10_000,
  waiting: 256,
  unread: 256 << 10,
}

/**
 * The idle time allowed, in milliseconds: all of it up to half of the connections, then less with every
 * further one.
 */
export function idleLimit(limits: StreamLimits, open: number): number {
  const crowd = Math.min(1, Math.max(0, (2 * open) / limits.connections - 1))
  return limits.idleMs + crowd * (limits.crowdedIdleMs - limits.idleMs)
}
