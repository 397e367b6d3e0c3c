import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import type { BridgePlan } from '../../src/plan/index.ts'

interface Answer {
  readonly ms: number
  /** Where the network's namespace is, when one has been made. */
  readonly path?: string
}

/** `ours.js` in a Node of its own, which makes a network and removes it. */
export class Ours implements AsyncDisposable {
  /** The milliseconds that it took to load what makes networks. */
  readonly loaded: Promise<number>
  readonly #process: ChildProcess
  readonly #ended: Promise<unknown[]>

  /** `packed`: the packed module that it loads. Absent: it imports the library. */
  constructor(packed?: string) {
    const script = resolve(import.meta.dirname, 'ours.js')
    this.#process = fork(script, packed ? [packed] : [], { execArgv: [], serialization: 'advanced' })
    this.#ended = once(this.#process, 'exit')
    this.loaded = this.#answer().then(({ ms }) => ms)
    this.loaded.catch(() => {}) // `create` fails as well, and is awaited
  }

  async create(plan: BridgePlan): Promise<{ ms: number; path: string }> {
    const { ms, path } = await this.#ask({ plan })
    return { ms, path: path! }
  }

  async delete(): Promise<number> {
    return (await this.#ask({})).ms
  }

  async close(): Promise<void> {
    if (this.#process.connected) this.#process.disconnect()
    await this.#ended
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #ask(order: { plan?: BridgePlan }): Promise<Answer> {
    this.#process.send(order)
    return this.#answer()
  }

  async #answer(): Promise<Answer> {
    const [answer] = (await Promise.race([once(this.#process, 'message'), this.#ended])) as [
      (Answer & { failure?: string }) | null,
    ]
    if (typeof answer?.ms !== 'number') throw new Error(answer?.failure ?? 'it ended')
    return answer
  }
}
