import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { OrdinaryUser, World } from './ordinary-user.ts'
import { waitFor } from './wait.ts'

const script = fileURLToPath(new URL('../../bin/xc.js', import.meta.url))

/** The form of an error of `xc`: one line, no stack. */
export const oneSentence = /^xc: [^\n]+[.!?]\n$/

/** The result of an `xc` command. */
export interface XcResult {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/**
 * The user that runs `xc`, and its environment: root by default, otherwise another user in directories of its
 * own.
 */
export interface XcUser extends World {
  readonly user?: OrdinaryUser
}

/** The built `xc`, with runtime and state directories for this test alone, removed when all tests are over. */
export class Xc {
  readonly root: string
  readonly env: NodeJS.ProcessEnv
  readonly #as: XcUser | undefined

  constructor(as?: XcUser) {
    this.#as = as
    this.root = as?.user?.home ?? mkdtempSync(join(tmpdir(), 'xc-cli-'))
    const { XCLUSTER_NAME: _, ...env } = process.env
    const own = { ...env, XDG_RUNTIME_DIR: `${this.root}/run`, XDG_STATE_HOME: `${this.root}/state` }
    this.env = as?.user?.env ?? own
    if (!as?.user) mkdirSync(this.runtime, { recursive: true })
  }

  /** The runtime directory of clusters. */
  get runtime(): string {
    return `${this.root}/run/xcluster`
  }

  /** Runs `xc` to its end. `input` is the whole content of a pipe; without it stdin is /dev/null. */
  async run(args: readonly string[], input?: string): Promise<XcResult> {
    const begun = this.begin(args, input === undefined ? 'ignore' : 'pipe')
    begun.child.stdin?.end(input)
    return await begun.result
  }

  /** As {@link run}, but throws for a status other than 0, with the output. */
  async good(args: readonly string[], input?: string): Promise<string> {
    const result = await this.run(args, input)
    if (result.status !== 0) throw new Error(`xc ${args.join(' ')}: ${result.status}\n${result.stderr}`)
    return result.stdout
  }

  begin(args: readonly string[], stdin: 'ignore' | 'pipe' = 'ignore'): RunningXc {
    const [file, ...rest] = this.#command(args)
    return new RunningXc(spawn(file!, rest, { env: this.env, stdio: [stdin, 'pipe', 'pipe'] }))
  }

  #command(args: readonly string[]): string[] {
    const as = this.#as
    const own = [process.execPath, script, ...args]
    if (!as?.user) return as?.host ? ['nsenter', `--net=${as.host.path}`, ...own] : own
    return as.user.command(['node', join(as.user.project, 'bin/xc.js'), ...args], as)
  }

  /** In a shell. */
  inShell(command: string): RunningXc {
    return new RunningXc(spawn('sh', ['-c', this.#spelled(command)], { env: this.env, stdio: 'pipe' }))
  }

  /**
   * On a terminal of its own, made by `script`; what is written to it is typed. Its shell survives a Ctrl-C,
   * whatever shell it is. A terminal of `script` has no size, so that is set here.
   */
  onTerminal(command: string): RunningXc {
    const words = ['-qec', `trap : INT; stty cols 100 rows 40; ${this.#spelled(command)}`, '/dev/null']
    const env = { ...this.env, TERM: 'xterm', SHELL: '/bin/sh' }
    return new RunningXc(spawn('/usr/bin/script', words, { env, stdio: 'pipe' }))
  }

  #spelled(command: string): string {
    return command.replaceAll('xc ', `"${process.execPath}" "${script}" `)
  }
}

/** A running `xc`, whose output can be waited for. */
export class RunningXc {
  readonly child: ChildProcess
  readonly result: Promise<XcResult>
  stdout = ''
  stderr = ''

  constructor(child: ChildProcess) {
    this.child = child
    child.stdout?.on('data', (bytes: Buffer) => {
      this.stdout += bytes.toString()
    })
    child.stderr?.on('data', (bytes: Buffer) => {
      this.stderr += bytes.toString()
    })
    this.result = new Promise(resolve =>
      child.once('close', (status, signal) =>
        resolve({ status, signal, stdout: this.stdout, stderr: this.stderr }),
      ),
    )
  }

  /** Waits until either output matches. */
  async says(what: RegExp, withinMs = 60_000): Promise<void> {
    const said = await waitFor(
      () => what.test(this.stdout + this.stderr) || this.child.exitCode !== null,
      withinMs,
    )
    if (!said || !what.test(this.stdout + this.stderr))
      throw new Error(`the output does not match ${what}:\n${this.stdout}\n${this.stderr}`)
  }
}
