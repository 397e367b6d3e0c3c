import { durationText, XclusterError } from '../base/index.ts'
import { listenStream, type StreamListener } from '../sys/index.ts'
import { type AgentClient, connectAgent } from './agent.ts'
import { connectQmp, type QmpClient } from './client.ts'
import { abortedError, QmpError } from './errors.ts'
import { type OpenOptions, type QmpAddress, textOf } from './open.ts'
import { take } from './takes.ts'
import type { Qmp, QmpSchema } from './versions.ts'

/**
 * Listens for QEMUs that connect by themselves: `-qmp unix:PATH`, `-qmp tcp:HOST:PORT`, or a `-chardev socket` without
 * `server=on`. A path must not exist yet, and is removed by `close()`.
 *
 * ```ts
 * await using listener = await listenQmp('/run/vm/qmp')
 * // start QEMU
 * await using monitor = await listener.accept({ connectMs: 10_000 })
 * ```
 */
export async function listenQmp(address: Exclude<QmpAddress, number>): Promise<QmpListener> {
  return new Listener(await listenStream(take('listen for QEMU', address, ['place', 'address'])))
}

/** Where QEMUs connect to. Descriptors cannot be sent over these connections. */
export interface QmpListener extends AsyncDisposable {
  /** Where it listens; of TCP with the port that the kernel chose for 0. */
  readonly address: Exclude<QmpAddress, number>
  /** The next monitor that connects, when it is ready. Throws QMP_UNREACHABLE when none does within `connectMs`. */
  accept<Version extends QmpSchema = Qmp>(options?: OpenOptions): Promise<QmpClient<Version>>
  /** The next guest agent, when it is synchronised. */
  acceptAgent(options?: OpenOptions): Promise<AgentClient>
  /** Accepted monitors and agents stay. */
  close(): Promise<void>
}

class Listener implements QmpListener {
  readonly #listener: StreamListener

  constructor(listener: StreamListener) {
    this.#listener = listener
  }

  get address(): Exclude<QmpAddress, number> {
    return this.#listener.place
  }

  async accept<Version extends QmpSchema = Qmp>(options: OpenOptions = {}): Promise<QmpClient<Version>> {
    return connectQmp<Version>(await this.#accept(options), { peer: textOf(this.address), ...options })
  }

  async acceptAgent(options: OpenOptions = {}): Promise<AgentClient> {
    return connectAgent(await this.#accept(options), { peer: textOf(this.address), ...options })
  }

  close(): Promise<void> {
    return this.#listener.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #accept(options: OpenOptions) {
    take('accept QEMU', options, 'connecting')
    const { signal, clock, timeoutMs = 30_000, connectMs = timeoutMs } = options
    const target = textOf(this.address)
    try {
      return await this.#listener.accept({ withinMs: connectMs, signal, ...(clock && { clock }) })
    } catch (cause) {
      if (signal?.aborted) throw abortedError({ op: 'accept QEMU at', target }, signal.reason)
      if (!(cause instanceof XclusterError) || cause.code === 'CLOSED') throw cause
      const reason = `nothing connected within ${durationText(connectMs)}`
      const remedy = 'Make sure that QEMU connects there: -qmp unix:PATH, without server=on'
      throw new QmpError({
        code: 'QMP_UNREACHABLE',
        op: 'accept QEMU at',
        target,
        reason,
        remedy,
        outcome: 'unsent',
      })
    }
  }
}
