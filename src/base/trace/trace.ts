import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { TraceArea } from './areas.ts'

/** `sent` and `received` as seen from this process; `noted`: neither, such as a state that changed. */
export type TraceDirection = 'sent' | 'received' | 'noted'

/** What is told of one message. */
export interface TraceDetails<Value = unknown> {
  readonly direction: TraceDirection
  /** The other side: `route net:[4026532281]`, `vm-001 monitor`, `udp 192.168.0.1:40000`. */
  readonly peer: string
  /** The message in a few words: `RTM_NEWLINK create bridge xcbr0`, `query-status`. */
  readonly what: string
  /** Milliseconds from the question to this answer, or from a VM's start; absent where nothing was waited for. */
  readonly ms?: number
  /** The message decoded. Of secrets only their size is told. */
  readonly value: Value
}

/** A message as subscribers of `xcluster:<area>` get it. */
export interface TraceMessage<Value = unknown> extends TraceDetails<Value> {
  readonly area: TraceArea
  /** When, in milliseconds since 1970, by this machine's clock. */
  readonly at: number
}

/** The name of an area's channel (node:diagnostics_channel). */
function traceChannel(area: TraceArea): string {
  return `xcluster:${area}`
}

/**
 * One area, for the code that has messages to tell. Look at `on` before anything is put together: it is all that
 * an untraced message pays.
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

  /** Gives all messages from now on to `hear`; what it returns ends that. */
  listen(hear: (message: TraceMessage<Value>) => void): () => void {
    const heard = (message: unknown) => hear(message as TraceMessage<Value>)
    const name = traceChannel(this.#area)
    subscribe(name, heard)
    return () => void unsubscribe(name, heard)
  }

  /** Passes a message on that was told in another thread, as it is. */
  relay(message: TraceMessage<Value>): void {
    this.#channel.publish(message)
  }
}

export function traceOf<Value>(area: TraceArea): Trace<Value> {
  return new Trace(area)
}
