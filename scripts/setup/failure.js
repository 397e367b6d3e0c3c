// @ts-check

/** A set-up step that failed: one sentence for the user, and the exit status. */
export class SetupFailure extends Error {
  /**
   * @param {string} sentence what went wrong and what to do
   * @param {{ status?: number, tail?: readonly string[] }} [details] `tail`: the last lines of output
   */
  constructor(sentence, { status = 1, tail = [] } = {}) {
    super(sentence)
    this.name = 'SetupFailure'
    this.status = status
    this.tail = tail
  }
}
