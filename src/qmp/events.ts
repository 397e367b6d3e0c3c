import { type Clock, defer, durationText, onAbort, Queue, type Shape, shape } from '../base/index.ts'
import { abortedError, QmpError } from './errors.ts'
import type { QmpEvents } from './versions.ts'
import type { QmpEvent } from './wire.ts'

/** The event of that name, with the type of its data where that is known. */
export type EventOf<Name extends string, Table = QmpEvents> = Name extends keyof Table
  ? QmpEvent<Name, Table[Name]>
  : QmpEvent<Name>

/** An event's name. Editors offer the known ones; any other is accepted. */
export type EventNameIn<Table> = (keyof Table & string) | (string & {})

/** The events to receive: those of one name, of several, or those for which a function returns true. */
export type EventFilter = string | readonly string[] | ((event: QmpEvent) => boolean)

/** How long to wait for an event. */
export interface OnceOptions {
  /** After this time the wait fails with QMP_NO_EVENT. Absent: it may take any time. */
  readonly timeoutMs?: number
  /** Aborts the wait (QMP_ABORTED). */
  readonly signal?: AbortSignal
}

/** The shapes of the data that decide what happens to a VM. QEMU's other events may have any data. */
export const eventShapes: Readonly<Record<string, Shape>> = {
  SHUTDOWN: shape.record({ guest: shape.flag, reason: shape.text }),
  VSERPORT_CHANGE: shape.record({ id: shape.text, open: shape.flag }),
  MIGRATION: shape.record({ status: shape.text }),
}

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

  /** `Event` is the type of the events that match the filter. */
  listen<Event>(filter: EventFilter | undefined, limit: number): Queue<Event> {
    const queue = new Queue<Event>({ limit, onClose: () => this.#listeners.delete(listener) })
    const listener: Listener = {
      wants: predicate(filter),
      take: event => queue.push(event as Event),
      end: (failure, gone) => queue.end(gone ? undefined : failure),
    }
    this.#listeners.add(listener)
    return queue
  }

  once(name: string, filter: Wants, { timeoutMs, signal }: OnceOptions = {}): Promise<QmpEvent> {
    const first = defer<QmpEvent>()
    let cancel = () => {}
    let leaveSignal = () => {}
    const leave = () => {
      this.#listeners.delete(listener)
      cancel()
      leaveSignal()
    }
    const listener: Listener = {
      wants: event => event.type === name && filter(event),
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
    leaveSignal = onAbort(signal, () => listener.end(this.#aborted(name, signal?.reason), false))
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

  #aborted(name: string, cause: unknown): QmpError {
    const what = { op: `wait for ${name} of`, target: this.#peer }
    return abortedError(what, cause)
  }

  #late(name: string, timeoutMs: number): QmpError {
    const reason = `no ${name} event within ${durationText(timeoutMs)}`
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
  return event => names.has(event.type)
}
