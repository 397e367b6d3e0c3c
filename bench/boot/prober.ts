import { type ChildProcess, spawn } from 'node:child_process'
import { resolve } from 'node:path'
import type { Scope } from '../../src/base/index.ts'
import { compile } from '../compile.ts'

/** Compiles `prober.c` into a directory that goes with `scope`; gives the program's path. */
export function compileProber(scope: Scope): string {
  return compile(resolve(import.meta.dirname, 'prober.c'), scope)
}

/** For a hundred nodes on a slow machine, and no longer. */
const patienceMs = 300_000

/**
 * Tells when a cluster is ready, from outside: `prober.c` says what that means. It runs before the clock does, and
 * is told where to look as soon as there is a network.
 */
export class Prober {
  /** On the clock of `process.hrtime`, in milliseconds. Rejects when the prober dies before. */
  readonly ready: Promise<number>
  readonly #process: ChildProcess
  #deadline: NodeJS.Timeout | undefined

  constructor(program: string, scope: Scope) {
    this.#process = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] })
    scope.defer(() => this.#close())
    this.ready = new Promise((resolve, reject) => {
      let said = ''
      this.#process.stdout!.setEncoding('latin1').on('data', (piece: string) => {
        said += piece
      })
      this.#process.on('close', (status, signal) => {
        clearTimeout(this.#deadline)
        const ready = said.match(/^ready (\d+)\n/)
        if (ready) resolve(Number(ready[1]) / 1e6)
        else reject(new Error(`no cluster seen ready; the prober ended: ${signal ?? status}`))
      })
    })
    this.ready.catch(() => {}) // the start that it waits for may have failed first
  }

  /** Looks at these nodes from now on. On net 1 it waits for a packet of the first to the last. */
  watch(namespacePath: string, nodes: readonly number[]): void {
    this.#deadline = setTimeout(() => this.#process.kill(), patienceMs)
    this.#process.stdin!.write(`${[namespacePath, nodes[0], nodes.at(-1), ...nodes].join(' ')}\n`)
  }

  async #close(): Promise<void> {
    this.#process.stdin!.destroy()
    await this.ready.catch(() => {})
  }
}

/** Milliseconds on the clock that the prober uses. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
