import { defer, type Port, type PortReceiver, Queue } from '../../src/base/index.ts'
import { LineAssembler } from '../../src/qmp/lines.ts'

/** Two ends of a stream in memory. What one end sends, the other receives in a later turn of the event loop. */
export function portPair(): [MemoryPort, MemoryPort] {
  const left = new MemoryPort()
  const right = new MemoryPort()
  left.other = right
  right.other = left
  return [left, right]
}

type Delivery = (receiver: PortReceiver) => void

export class MemoryPort implements Port {
  other: MemoryPort | undefined
  closed = false
  #receiver: PortReceiver | undefined
  #ended = false
  readonly #kept: Delivery[] = []

  receive(receiver: PortReceiver): void {
    this.#receiver = receiver
    for (const delivery of this.#kept.splice(0)) delivery(receiver)
  }

  send(bytes: Uint8Array, fds?: readonly number[]): void {
    if (this.closed) throw new Error('send on a closed port')
    const copy = bytes.slice()
    this.other?.arrive(receiver => receiver.data(copy, fds))
  }

  /** Ends the port as when its peer closes, or with a failure. */
  end(failure?: Error): void {
    this.arrive(receiver => {
      if (this.#ended) return
      this.#ended = true
      receiver.end(failure)
    })
  }

  close(): Promise<void> {
    if (!this.closed) this.other?.end()
    this.closed = true
    return Promise.resolve()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  arrive(delivery: Delivery): void {
    setImmediate(() => {
      if (this.closed) return
      if (this.#receiver) delivery(this.#receiver)
      else this.#kept.push(delivery)
    })
  }
}

/** A command that the fake has received. */
export interface Received {
  readonly execute?: string
  readonly 'exec-oob'?: string
  readonly arguments?: Record<string, unknown>
  readonly id?: number
  readonly fds: readonly number[]
}

export const greeting = {
  QMP: {
    version: { qemu: { micro: 22, minor: 2, major: 7 }, package: 'Debian 1:7.2+dfsg-7' },
    capabilities: ['oob'],
  },
}

/**
 * QEMU's end of a port. It sends the messages that the test wants, also in pieces. A client that sends
 * anything around a command with a descriptor, which could kill a real QEMU, makes the test fail.
 */
export class FakeQemu {
  readonly port: MemoryPort
  /** Received commands, for `await qemu.received.next()`. */
  readonly received = new Queue<Received>()
  readonly ended = defer()
  readonly #lines = new LineAssembler(1 << 20)
  #unanswered = 0
  #withFds = false

  constructor(port: MemoryPort) {
    this.port = port
    port.receive({
      data: (bytes, fds = []) => this.#data(Buffer.from(bytes), fds),
      end: () => this.ended.resolve(),
    })
  }

  #data(bytes: Buffer, fds: readonly number[]): void {
    if (this.#withFds) throw new Error(`${bytes} came before the reply to a command with a descriptor`)
    if (fds.length === 0) {
      this.#lines.push(bytes, line => this.#command(line, []))
      return
    }
    if (this.#unanswered > 0) throw new Error(`a descriptor came beside ${this.#unanswered} other commands`)
    if (bytes.at(-1) !== 0x7d) throw new Error(`a descriptor came with more than its command: ${bytes}`)
    this.#withFds = true
    this.#command(bytes.toString(), fds)
  }

  #command(text: string, fds: readonly number[]): void {
    this.#unanswered++
    this.received.push({ ...JSON.parse(text), fds })
  }

  #answered(): void {
    this.#unanswered--
    this.#withFds = false
  }

  async next(): Promise<Received> {
    return (await this.received.next()).value
  }

  say(message: object): void {
    this.raw(`${JSON.stringify(message)}\r\n`)
  }

  raw(text: string | Uint8Array): void {
    this.port.send(Buffer.from(text))
  }

  /** Resolves when everything sent has arrived and its immediate effects have happened. */
  delivered(): Promise<void> {
    return new Promise(resolve => setImmediate(() => setImmediate(resolve)))
  }

  /** Sends the reply to a command, with its id. */
  reply(to: Received, value: unknown = {}): void {
    this.#answered()
    this.say({ return: value, ...(to.id !== undefined && { id: to.id }) })
  }

  refuse(to: Received, desc: string): void {
    this.#answered()
    this.say({ error: { class: 'GenericError', desc }, ...(to.id !== undefined && { id: to.id }) })
  }

  event(event: string, data: object = {}): void {
    this.say({ timestamp: { seconds: 1_700_000_000, microseconds: 250_000 }, event, data })
  }

  /** Sends the greeting, and answers commands until the client is ready. */
  async welcome(): Promise<void> {
    this.say(greeting)
    this.reply(await this.next())
    this.reply(await this.next(), { status: 'running', running: true })
  }
}
