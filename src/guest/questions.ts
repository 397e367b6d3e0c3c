import { errnoName, errnoText, Reader, Writer } from '../base/index.ts'
import type { Frame } from '../stream/index.ts'

/** What a guest can be asked: its kernel, over netlink, or a file (native/guest/ask.c). */
export type Asked =
  | { readonly kind: 'route' | 'netfilter'; readonly bytes: Uint8Array }
  | { readonly kind: 'file'; readonly path: string }

const kinds = { route: 1, netfilter: 2, file: 3 } as const

/** Bytes of one answer. xcluster-guest sends no more, and reports EMSGSIZE then. */
const mostAnswered = 1 << 20

export function questionPayload(asked: Asked): Uint8Array {
  const out = new Writer(256)
  out.u16(kinds[asked.kind])
  out.u16(0)
  if (asked.kind === 'file') out.text(`${asked.path}\0`)
  else out.put(asked.bytes)
  return out.done()
}

/** Takes one answer: its pieces, then how it ended. */
export interface AnswerReceiver {
  piece(bytes: Uint8Array): void
  /** `failure` has the reason of the guest's kernel, or why there is no answer. */
  end(failure?: Error): void
}

/** The questions to a guest that have no whole answer yet. */
export class Questions {
  readonly #pending = new Map<number, { readonly receiver: AnswerReceiver; received: number }>()

  /** Returns its number: `random`, or the next one that is free. */
  add(random: number, receiver: AnswerReceiver): number {
    let number = random
    while (this.#pending.has(number)) number = (number + 1) >>> 0
    this.#pending.set(number, { receiver, received: 0 })
    return number
  }

  /** False for an answer that nothing asked for. Throws when one is longer than answers are. */
  take({ kind, stream, payload }: Frame): boolean {
    const pending = this.#pending.get(stream)
    if (!pending) return false
    if (kind === 'ask') {
      pending.received += payload.length
      if (pending.received > mostAnswered) throw new Error(`an answer has more than ${mostAnswered} bytes`)
      pending.receiver.piece(payload)
      return payload.length > 0
    }
    const errno = new Reader(payload).i32('errno')
    this.#pending.delete(stream)
    pending.receiver.end(errno === 0 ? undefined : new Error(`${errnoText(errno)} (${errnoName(errno)})`))
    return true
  }

  /** Nothing waits for it any more. What still comes was not asked for. */
  drop(number: number): void {
    this.#pending.delete(number)
  }

  end(failure: Error): void {
    const pending = [...this.#pending.values()]
    this.#pending.clear()
    for (const { receiver } of pending) receiver.end(failure)
  }
}
