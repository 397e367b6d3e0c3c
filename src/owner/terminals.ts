import type { Duplex } from 'node:stream'
import type { ConsoleRole } from '../api/index.ts'

export interface JoinOptions {
  /** It never types. */
  readonly view?: boolean | undefined
  /** It types, in place of the terminal that did. */
  readonly take?: boolean | undefined
}

const taken = '\r\n[xc: another terminal types here now. This one views; Ctrl-] leaves.]\r\n'

/** The terminals that may type, one for each console: two that type at once would garble each other's lines. */
export class Terminals {
  readonly #writers = new Map<number, Duplex>()

  /** The first terminal of a console may type, and one that takes over. The one before is told. */
  join(node: number, terminal: Duplex, { view = false, take = false }: JoinOptions): ConsoleRole {
    const before = this.#writers.get(node)
    if (view || (before && !take)) return 'viewer'
    if (before) before.write(taken)
    this.#writers.set(node, terminal)
    return 'writer'
  }

  mayWrite(node: number, terminal: Duplex): boolean {
    return this.#writers.get(node) === terminal
  }

  leave(node: number, terminal: Duplex): void {
    if (this.mayWrite(node, terminal)) this.#writers.delete(node)
  }
}
