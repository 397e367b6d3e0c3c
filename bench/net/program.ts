import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import type { Scope } from '../../src/base/index.ts'
import type { NetNamespace } from '../../src/sys/index.ts'

/** A program in a namespace that takes commands as lines, and answers with lines. */
export class Program {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>
  readonly #answers: AsyncIterator<string>

  constructor(command: readonly string[], namespace: NetNamespace, scope: Scope) {
    this.#process = spawn('nsenter', [`--net=${namespace.path}`, ...command], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#process.stdin.on('error', () => {}) // it has ended, and so have its answers
    this.#answers = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]()
    scope.defer(() => this.#close())
  }

  async ask(line: string): Promise<string> {
    this.#process.stdin.write(`${line}\n`)
    const { value, done } = await this.#answers.next()
    if (done) throw new Error(`the program ended at '${line}'`)
    return value
  }

  async #close(): Promise<void> {
    this.#process.stdin.end()
    if (this.#process.exitCode === null && this.#process.signalCode === null)
      await once(this.#process, 'exit')
  }
}
