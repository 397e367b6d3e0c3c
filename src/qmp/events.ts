import { type Clock, defer, Queue } from '../base/index.ts'
import { QmpError } from './errors.ts'
import type { QmpEvents } from './event-types.ts'
import type { QmpEvent } from './wire.ts'

/** The event of that name, with the type of its data where that is known. */
export type EventOf<Name extends string> = Name extends keyof QmpEvents
  ? QmpEvent<Name, QmpEvents[Name]>
  : QmpEvent<Name>

/** The events to receive: those of one name, of several, or those for which a function returns true. */
export type EventFilter = string | readonly string[] | ((event: QmpEvent) => boolean)

type Wants = (event: QmpEvent) => boolean

interface Listener {
  readonly wants: Wants
  take(event: QmpEvent): void
  /** No more events. `failure` is what the listener's own filter threw, or why the monitor closed. */
  end(failure: unknown, gone: boolean): void
}

/** The listeners for events. A slow listener loses events of its own queue alone. */
export class EventListeners {
  readonly #clock: Clock
  readonly #peer: string
  readonly #listeners = new Set<Listener>()

  constructor(peer: string, clock: Clock) {
    this.#peer = peer
    this.#clock = clock
  }

  listen(filter: EventFilter | undefined, limit: number): Queue<QmpEvent> {
    const queue = new Queue<QmpEvent>({ limit, onClose: () => this.#listeners.delete(listener) })
    const listener: Listener = {
      wants: predicate(filter),
      take: event => queue.push(event),
      end: (failure, gone) => queue.end(gone ? undefined : failure),
    }
    this.#listeners.add(listener)
    return queue
  }

  once(name: string, filter: Wants, timeoutMs?: number): Promise<QmpEvent> {
    const first = defer<QmpEvent>()
    let cancel = () => {}
    const leave = () => {
      this.#listeners.delete(listener)
      cancel()
    }
    const listener: Listener = {
      wants: event => event.event === name && filter(event),
      take: event => {
        leave()
        first.resolve(event)
      },
      end: failure => {
        leave()
        first.reject(failure)
      },
    }
    this.#listeners.add(listener)
    if (timeoutMs !== undefined)
      cancel = this.#clock.after(timeoutMs, () => listener.end(this.#late(name, timeoutMs), false))
    // The waiter may leave before the event, when the command that should cause it fails: that is not an
    // unhandled rejection.
    first.promise.catch(() => {})
    return first.promise
  }

  emit(event: QmpEvent): void {
    for (const listener of [...this.#listeners]) {
      try {
        if (listener.wants(event)) listener.take(event)
      } catch (failure) {
        listener.end(failure, false)
      }
    }
  }

  end(reason: QmpError): void {
    for (const listener of [...this.#listeners]) listener.end(reason, true)
  }

  #late(name: string, timeoutMs: number): QmpError {
    const reason = `no ${name} event within ${timeoutMs} ms`
    return new QmpError({
      code: 'QMP_NO_EVENT',
      op: 'wait for',
      target: this.#peer,
      reason,
      outcome: 'unknown',
    })
  }
}

function predicate(filter: EventFilter | undefined): Wants {
  if (filter === undefined) return () => true
  if (typeof filter === 'function') return filter
  const names = new Set(typeof filter === 'string' ? [filter] : filter)
  return event => names.has(event.event)
}
