// @ts-check

/** A step of the set-up that did not work: one sentence for people, and the status to end with. */
export class SetupFailure extends Error {
  /**
   * @param {string} sentence what went wrong and what to do
   * @param {{ status?: number, tail?: readonly string[] }} [details] `tail`: the last lines of what failed
   */
  constructor(sentence, { status = 1, tail = [] } = {}) {
    super(sentence)
    this.name = 'SetupFailure'
    this.status = status
    this.tail = tail
  }
}
