// @ts-check

const frames = [...'⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏']

/**
 * Shows steps as they go, on standard error: one line each that changes in place on a terminal, plain lines
 * elsewhere. Standard output stays free for what the main job prints.
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

  /** The step has something to do, and is here now. */
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
    // A line that wraps could not be taken back.
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
