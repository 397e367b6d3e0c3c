import { type Deferred, defer, type Port } from '../base/index.ts'
import { AgentClient, type ExecOptions, type ExecResult } from '../qmp/index.ts'
import { VmError } from './errors.ts'

/**
 * The agent in one guest. QEMU's event VSERPORT_CHANGE says when it opens and closes its port: nothing is sent
 * before it is open (that has wedged boots), and whoever waits when it closes is told at once.
 */
export class GuestAgent {
  readonly #name: string
  readonly #port: Port
  #client: AgentClient | undefined
  #lost: Deferred<never> = lossOf()

  constructor(name: string, port: Port) {
    this.#name = name
    this.#port = port
  }

  /** Resolves when it has answered. Called at every opening: a restarted agent is synchronised again. */
  async opened(timeoutMs: number): Promise<void> {
    this.#client ??= new AgentClient(this.#port, { peer: this.#name })
    this.#lost = lossOf()
    await this.#client.sync(timeoutMs)
  }

  closed(): void {
    const reason = "the guest's agent has closed its port"
    const remedy = 'See whether qemu-ga runs in the guest (the console still works)'
    this.#lost.reject(new VmError({ code: 'AGENT_LOST', op: 'talk to', target: this.#name, reason, remedy }))
  }

  /** Only after {@link opened}. */
  exec(command: readonly string[] | string, options?: ExecOptions): Promise<ExecResult> {
    return Promise.race([this.#client!.exec(command, options), this.#lost.promise])
  }

  async close(): Promise<void> {
    if (this.#client) await this.#client.close()
    else await this.#port.close()
  }
}

function lossOf(): Deferred<never> {
  const loss = defer<never>()
  loss.promise.catch(() => {}) // told to whoever waits then; often nobody does
  return loss
}
