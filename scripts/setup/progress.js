// @ts-check

const frames = [...'⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏']

/**
 * Shows the progress of steps on standard error: on a terminal one line each that changes in place, elsewhere
 * plain lines. Standard output stays free for the results of the main job.
 */
export class Progress {
  #live = Boolean(process.stderr.isTTY) && !process.env.CI && process.env.TERM !== 'dumb'
  #title = ''
  #text = ''
  #frame = 0
  #began = 0
  /** @type {NodeJS.Timeout | undefined} */
  #timer

  /** @param {string} title */
  begin(title) {
    this.#title = title
    this.#text = ''
    this.#began = performance.now()
    if (this.#live) this.#draw()
  }

  /** The step has work to do, and this is its progress. */
  say(/** @type {string} */ text) {
    const isFirst = this.#text === ''
    this.#text = text
    if (!isFirst) return
    if (this.#live) this.#timer = setInterval(() => this.#draw(), 100)
    else this.note(`… ${this.#title}: ${text}`)
  }

  /** @param {string} word */
  end(word) {
    if (this.#text === '') this.#finish('·', word)
    else this.#finish('✔', `${word} (${((performance.now() - this.#began) / 1000).toFixed(1)} s)`)
  }

  fail() {
    this.#finish('✖', 'failed')
  }

  /** @param {string} text */
  note(text) {
    process.stderr.write(`${text}\n`)
  }

  #draw() {
    this.#frame = (this.#frame + 1) % frames.length
    const text = this.#text ? `: ${this.#text}` : ''
    const line = `${frames[this.#frame]} ${this.#title}${text}`.replace(/\p{Cc}/gu, ' ')
    // A line that wraps could not be erased.
    process.stderr.write(`\r\x1b[2K${line.slice(0, (process.stderr.columns || 80) - 1)}`)
  }

  /**
   * @param {string} sign
   * @param {string} word
   */
  #finish(sign, word) {
    clearInterval(this.#timer)
    this.note(`${this.#live ? '\r\x1b[2K' : ''}${sign} ${this.#title}: ${word}`)
  }
}
