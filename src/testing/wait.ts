import { type Queue, systemClock, unlessAborted, until, withTimes } from '../base/index.ts'
import { TestingError } from './errors.ts'

export interface WaitForOptions {
  /** Default: 10,000. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/** Something that a test waits for. */
export interface Condition {
  /** In words: `port 80`. */
  readonly text: string
  /** Looks once. Undefined: it is so. Otherwise what there is instead, for the error. */
  look(): Promise<string | undefined>
  /** Something comes in it whenever another look is worth it. Absent: there is no event. */
  readonly events?: () => Queue<Uint8Array>
}

const everyMs = 50

/** Throws WAIT_TIMEOUT and WAIT_CANCELLED. */
export async function waitUntil(
  condition: Condition,
  { target, timeoutMs = 10_000, signal }: WaitForOptions & { readonly target: string },
): Promise<void> {
  withTimes(`wait for ${condition.text}`, { timeoutMs })
  let last: string | undefined = 'nothing yet'
  const look = async () => {
    last = await condition.look()
    return last === undefined
  }
  const failed = (code: 'WAIT_TIMEOUT' | 'WAIT_CANCELLED', reason: string) =>
    new TestingError({ code, op: `wait for ${condition.text} on`, target, reason })
  const limit = { withinMs: timeoutMs, signal }
  const looking: Promise<unknown> = condition.events
    ? atEach(condition.events(), look, limit)
    : until(systemClock, look, { everyMs, ...limit, why: 'state of a guest' })
  const aborted = () => failed('WAIT_CANCELLED', `the signal aborted; last seen: ${last}`)
  await unlessAborted(looking, signal, aborted)
  if (signal?.aborted) throw aborted()
  if (last !== undefined)
    throw failed('WAIT_TIMEOUT', `it did not come within ${timeoutMs / 1000} s; last seen: ${last}`)
}

/** Looks at once, and after each event. */
async function atEach(
  events: Queue<Uint8Array>,
  look: () => Promise<boolean>,
  { withinMs, signal }: { readonly withinMs: number; readonly signal: AbortSignal | undefined },
): Promise<void> {
  await using queue = events
  const cancel = systemClock.after(withinMs, () => queue.end())
  signal?.addEventListener('abort', () => queue.end(), { once: true })
  try {
    if (await look()) return
    for await (const _ of queue) if (await look()) return
  } finally {
    cancel()
  }
}
