import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { TraceArea } from './areas.ts'

/** `sent` and `received` as seen from this process; `noted` is neither, such as a change of state. */
export type TraceDirection = 'sent' | 'received' | 'noted'

/** One traced message. */
export interface TraceDetails<Value = unknown> {
  readonly direction: TraceDirection
  /** The other side: `route net:[4026532281]`, `vm-001 monitor`, `udp 192.168.0.1:40000`. */
  readonly peer: string
  /** The message in a few words: `RTM_NEWLINK create bridge xcbr0`, `query-status`. */
  readonly what: string
  /** Milliseconds from the request to this answer, or from a VM's start. Absent if neither applies. */
  readonly ms?: number
  /** The decoded message. Secrets are replaced by their size. */
  readonly value: Value
}

/** A message as subscribers of `xcluster:<area>` get it. */
export interface TraceMessage<Value = unknown> extends TraceDetails<Value> {
  readonly area: TraceArea
  /** The time in milliseconds since 1970, by this machine's clock. */
  readonly at: number
}

/** The name of an area's channel (node:diagnostics_channel). */
function traceChannel(area: TraceArea): string {
  return `xcluster:${area}`
}

/**
 * One area, for the code that traces messages. Check `on` before you compose a message: that check is the whole cost
 * of a message that is not traced.
 *
 * ```ts
 * const trace = traceOf<QmpTraceValue>('qmp')
 * if (trace.on) trace.tell({ direction: 'sent', peer, what: command, value })
 * ```
 */
export class Trace<Value> {
  readonly #area: TraceArea
  readonly #channel

  constructor(area: TraceArea) {
    this.#area = area
    this.#channel = channel(traceChannel(area))
  }

  /** True while anything listens. */
  get on(): boolean {
    return this.#channel.hasSubscribers
  }

  tell(told: TraceDetails<Value>): void {
    const message: TraceMessage<Value> = { area: this.#area, at: Date.now(), ...told }
    this.#channel.publish(message)
  }

  /** Passes all messages to `hear`. The returned function ends that. */
  listen(hear: (message: TraceMessage<Value>) => void): () => void {
    const heard = (message: unknown) => hear(message as TraceMessage<Value>)
    const name = traceChannel(this.#area)
    subscribe(name, heard)
    return () => void unsubscribe(name, heard)
  }

  /** Publishes a message from another thread unchanged. */
  relay(message: TraceMessage<Value>): void {
    this.#channel.publish(message)
  }
}

export function traceOf<Value>(area: TraceArea): Trace<Value> {
  return new Trace(area)
}
