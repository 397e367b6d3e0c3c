import { type TraceArea, type TraceMessage, traceLine, traceOf } from '../../src/base/index.ts'

/** Hears all messages of an area until it is disposed of. */
export class Traces<Value = unknown> implements Disposable {
  readonly messages: TraceMessage<Value>[] = []
  readonly #end: () => void

  constructor(area: TraceArea) {
    this.#end = traceOf<Value>(area).listen(message => this.messages.push(message))
  }

  /** What was told, as it is printed, without time and area, and with all durations the same. */
  get lines(): string[] {
    return this.messages.map(message =>
      traceLine(message)
        .replace(/^\S+ \S+ /, '')
        .replace(/\(\d+\.\d{3} ms\)/, '(T ms)'),
    )
  }

  /** Direction and words alone. */
  get words(): [direction: string, what: string][] {
    return this.messages.map(({ direction, what }) => [direction, what])
  }

  [Symbol.dispose](): void {
    this.#end()
  }
}
