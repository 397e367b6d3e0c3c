import { type TraceArea, type TraceMessage, traceLine, traceOf } from '../../src/base/index.ts'

/** Collects all messages of an area until it is disposed. */
export class Traces<Value = unknown> implements Disposable {
  readonly messages: TraceMessage<Value>[] = []
  readonly #end: () => void

  constructor(area: TraceArea) {
    this.#end = traceOf<Value>(area).listen(message => this.messages.push(message))
  }

  /** The messages as printed lines, without time and area, and with durations as `T`. */
  get lines(): string[] {
    return this.messages.map(message =>
      traceLine(message)
        .replace(/^\S+ \S+ /, '')
        .replace(/\(\d+\.\d{3} ms\)/, '(T ms)'),
    )
  }

  /** Direction and `what` of each message. */
  get words(): [direction: string, what: string][] {
    return this.messages.map(({ direction, what }) => [direction, what])
  }

  [Symbol.dispose](): void {
    this.#end()
  }
}
