import { type ChildProcess, spawn } from 'node:child_process'
import { resolve } from 'node:path'
import type { Scope } from '../../src/base/index.ts'
import { compile } from '../compile.ts'

/** Compiles `prober.c` into a directory that goes with `scope`, and returns the program's path. */
export function compileProber(scope: Scope): string {
  return compile(resolve(import.meta.dirname, 'prober.c'), scope)
}

/** Enough for a hundred nodes on a slow machine. */
const timeoutMs = 300_000

/**
 * Reports when a cluster is ready, from outside; `prober.c` defines that. It runs before the clock starts,
 * and gets the namespace as soon as that exists.
 */
export class Prober {
  /** In milliseconds on the clock of `process.hrtime`. Rejects when the prober dies first. */
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
        else reject(new Error(`the prober ended before it saw a ready cluster: ${signal ?? status}`))
      })
    })
    this.ready.catch(() => {}) // the start may fail before it
  }

  /** Probes these nodes from now on. On net 1 it waits for packets between the first and the last. */
  watch(namespacePath: string, nodes: readonly number[]): void {
    this.#deadline = setTimeout(() => this.#process.kill(), timeoutMs)
    this.#process.stdin!.write(`${[namespacePath, nodes[0], nodes.at(-1), ...nodes].join(' ')}\n`)
  }

  async #close(): Promise<void> {
    this.#process.stdin!.destroy()
    await this.ready.catch(() => {})
  }
}

/** Milliseconds on the prober's clock. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
