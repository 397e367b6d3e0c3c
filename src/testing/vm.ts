import type { Cluster } from '../cluster/index.ts'
import { type Awaitable, conditionOf } from './conditions.ts'
import { TestingError } from './errors.ts'
import { type WaitForOptions, waitUntil } from './wait.ts'

export type TestCommand = readonly string[] | string
export type TestCommandOptions = Omit<NonNullable<Parameters<Cluster['exec']>[2]>, 'encoding' | 'check'>

/** The result of a command, as text. */
export interface CommandOutput {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** One node in a test: its cluster's calls without the node's number, and with words of a test. */
export class TestVm {
  readonly node: number
  readonly name: string
  readonly #cluster: Cluster

  constructor(cluster: Cluster, node: number) {
    this.node = node
    this.name = cluster.status().nodes.find(({ id }) => id === node)?.name ?? `node ${node}`
    this.#cluster = cluster
  }

  /** Runs a command, a string with `/bin/sh -c`. Throws as `cluster.exec` does. */
  exec(command: TestCommand, options: TestCommandOptions = {}): Promise<CommandOutput> {
    return this.#cluster.exec(this.node, command, { ...options, encoding: 'utf8' })
  }

  /** Runs a command that has to end with status 0, and returns what it printed. Throws EXEC_FAILED. */
  async succeed(command: TestCommand, options: TestCommandOptions = {}): Promise<string> {
    const { stdout } = await this.#cluster.exec(this.node, command, {
      ...options,
      encoding: 'utf8',
      check: true,
    })
    return stdout
  }

  /** Runs a command that must not end with status 0, and returns its result. Throws COMMAND_SUCCEEDED. */
  async fail(command: TestCommand, options: TestCommandOptions = {}): Promise<CommandOutput> {
    const result = await this.exec(command, options)
    if (result.status !== 0) return result
    throw new TestingError({
      code: 'COMMAND_SUCCEEDED',
      op: `run ${typeof command === 'string' ? command : command.join(' ')} on`,
      target: this.name,
      reason: 'it ended with status 0, and should have failed',
    })
  }

  /** Copies to it, as `cluster.put` does. */
  put(
    source: Parameters<Cluster['put']>[1],
    path: Parameters<Cluster['put']>[2],
  ): ReturnType<Cluster['put']> {
    return this.#cluster.put(this.node, source, path)
  }

  /** The content of one file of it, at most 32 MiB. */
  get(path: string): Promise<Buffer> {
    return this.#cluster.get(this.node, path)
  }

  /** The last lines that it printed to its console. */
  console(lines = 12): string {
    return this.#cluster.console(this.node).lastLines(lines)
  }

  /**
   * Waits until something is so on it: at once, when it is so already. `{ consoleText }` is an event; the others are looked
   * at every 50 ms. Throws WAIT_TIMEOUT, which says what was last seen, when it takes longer than `timeoutMs` (10 s unless
   * given), and WAIT_CANCELLED when `signal` aborts.
   */
  async waitFor(what: Awaitable, options: WaitForOptions = {}): Promise<void> {
    await waitUntil(conditionOf(this.#cluster, this.node, what), { ...options, target: this.name })
  }
}
