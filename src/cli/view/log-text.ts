import { printableLines } from '../../base/index.ts'

/** Carriage returns that are held back at the end of a piece: a line end may follow. */
const mostHeld = 8

/** A console's output, piece by piece, as text that is safe for a terminal. Line ends become newlines. */
export class LogText {
  readonly #decoder = new TextDecoder()
  #held = ''

  /** The text of the next bytes. Bytes that are not UTF-8 become U+FFFD. */
  push(bytes: Uint8Array): string {
    const text = this.#held + this.#decoder.decode(bytes, { stream: true })
    let kept = text.length
    while (kept > 0 && text.length - kept < mostHeld && text[kept - 1] === '\r') kept--
    this.#held = text.slice(kept)
    return shown(text.slice(0, kept))
  }

  end(): string {
    return shown(this.#held + this.#decoder.decode())
  }
}

function shown(text: string): string {
  return printableLines(text.replace(/\r{1,8}\n/g, '\n'))
}
