import { verbs } from '../../../api/index.ts'
import { nodeName } from '../../../base/index.ts'
import type { Copied, CopyGuest, CopyProgress } from '../../../files/index.ts'
import { overwriteLine, tell } from '../../output.ts'
import { type CommonOptions, clientOf, type Session } from '../../session.ts'

export const nodeDoc = verbs.spawn.asks.node.doc

/** The guest of a node, as the owner of its cluster reaches it. */
export function guestOf(session: Session, node: string, options: CommonOptions): CopyGuest {
  const client = clientOf(session, options)
  const name = /^\d+$/.test(node) ? nodeName(Number(node)) : node
  return { name, spawn: words => client.spawn(node, { words }) }
}

/** How often the line of the progress is written anew, in milliseconds. */
const everyMs = 100

/** The progress of a copy, in one line of a terminal. */
export class ProgressLine {
  readonly #begun = performance.now()
  #told = Number.NEGATIVE_INFINITY
  #isShown = false

  /** Undefined where standard error is not a terminal. */
  static onTerminal(): ProgressLine | undefined {
    return process.stderr.isTTY ? new ProgressLine() : undefined
  }

  tell({ bytes, files, name }: CopyProgress): void {
    const now = performance.now()
    if (now - this.#told < everyMs) return
    this.#told = now
    this.#isShown = true
    const rate = bytes / Math.max(0.001, (now - this.#begun) / 1000)
    const text = `${mebibytes(bytes)} MiB  ${mebibytes(rate)} MiB/s  ${files > 1 ? `${files} files  ` : ''}${name}`
    overwriteLine(text.slice(0, (process.stderr.columns || 80) - 1))
  }

  clear(): void {
    if (this.#isShown) overwriteLine('')
  }
}

const mostTold = 10

/** What was left out. */
export function tellSkipped({ skipped }: Copied): void {
  for (const what of skipped.slice(0, mostTold)) tell(`note: left out: ${what}`)
  if (skipped.length > mostTold) tell(`note: left out: ${skipped.length - mostTold} more like these`)
}

const mebibytes = (bytes: number): string => (bytes / (1 << 20)).toFixed(1)
