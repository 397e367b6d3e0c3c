/** What one listener's streams may take. */
export interface StreamLimits {
  /** Connections at a time. One more ends the one that has been idle longest. */
  readonly connections: number
  /** Of one address. */
  readonly perAddress: number
  /** How long a connection may say nothing, in milliseconds: while few are open, and when no more are to be had. */
  readonly idleMs: number
  readonly crowdedIdleMs: number
  /** How long somebody may take to read what was sent. */
  readonly readMs: number
  /** Questions of one connection that wait for upstreams. */
  readonly waiting: number
  /** Bytes of answers that one connection has not read yet. */
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

/** The time that an idle connection has: all of it up to half of the limit, then less with every one more. */
export function idleLimit(limits: StreamLimits, open: number): number {
  const crowd = Math.min(1, Math.max(0, (2 * open) / limits.connections - 1))
  return limits.idleMs + crowd * (limits.crowdedIdleMs - limits.idleMs)
}
