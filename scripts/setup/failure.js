// @ts-check

/** A set-up step that failed: one sentence for the user, and the exit status. */
export class SetupFailure extends Error {
  /**
   * @param {string} sentence what went wrong and what to do
   * @param {{ status?: number, code?: string, tail?: readonly string[] }} [details] `code`: a row of docs/errors.md; `tail`:
   * the last lines of output
   */
  constructor(sentence, details = {}) {
    super(sentence)
    const { status, code, tail } = { status: 1, code: 'SETUP_FAILED', tail: [], ...details }
    this.name = 'SetupFailure'
    this.status = status
    this.code = code
    this.tail = tail
  }
}
