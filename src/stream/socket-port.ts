import type { Duplex } from 'node:stream'
import type { Port, PortReceiver } from '../base/index.ts'

/** A connection as a {@link Port}, without file descriptors. */
export class SocketPort implements Port {
  readonly #socket: Duplex

  constructor(socket: Duplex) {
    this.#socket = socket
  }

  receive({ data, end }: PortReceiver): void {
    let isOver = false
    const over = (failure?: Error) => {
      if (!isOver) end(failure)
      isOver = true
    }
    this.#socket.on('error', over)
    this.#socket.on('close', () => over())
    this.#socket.on('end', () => over())
    this.#socket.on('data', bytes => data(bytes as Uint8Array))
  }

  send(bytes: Uint8Array): void {
    if (!this.#socket.destroyed && !this.#socket.writableEnded) this.#socket.write(bytes)
  }

  /** What has been sent still goes out. */
  async close(): Promise<void> {
    this.#socket.end()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
