const esc = '\u001b'
const enquiry = '\u0005'
/** Shows nothing, and ends a sequence that has begun: what is left of a query cannot become one. */
const cancel = '\u0018'
/** Reports of position, status and attributes (ECMA-48 §8.3.35 DSR, §8.3.24 DA), DECID, and the enquiry of ASCII. */
const queries = new RegExp(`${esc}(?:\\[[0-?]*[ -/]*[nc]|Z)|${enquiry}`, 'g')
/** A sequence that may continue in the next piece. */
const begun = new RegExp(`${esc}(?:\\[[0-?]{0,32}[ -/]{0,4})?$`)

/**
 * Output of a guest for a terminal that is not the guest's input, without what a terminal answers: the answer would be
 * typed into the user's own shell. The shell of a guest asks for the cursor's position at each prompt.
 */
export class Unasked {
  #held = ''

  /** The piece, as far as it can be shown by now. */
  push(bytes: Uint8Array): Buffer {
    const text = (this.#held + Buffer.from(bytes).toString('latin1')).replace(queries, cancel)
    this.#held = begun.exec(text)?.[0] ?? ''
    return Buffer.from(text.slice(0, text.length - this.#held.length), 'latin1')
  }
}
