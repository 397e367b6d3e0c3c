import { defer, type Port, type PortReceiver, Queue } from '../../src/base/index.ts'
import { LineAssembler } from '../../src/qmp/lines.ts'

/** Two ends of a stream in memory. Each receives what the other sends, a turn of the event loop later. */
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

  /** Ends the stream from the other side, or makes the port fail. */
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

/** A command as the fake received it. */
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

/** The QEMU end of a port. It sends what a test tells it to, in the pieces that the test chooses. */
export class FakeQemu {
  readonly port: MemoryPort
  /** Commands in the order of their arrival, for `await qemu.received.next()`. */
  readonly received = new Queue<Received>()
  readonly ended = defer()
  #fds: number[] = []

  constructor(port: MemoryPort) {
    this.port = port
    const lines = new LineAssembler(1 << 20)
    port.receive({
      data: (bytes, fds = []) => {
        this.#fds.push(...fds)
        lines.push(bytes, line => this.#line(line))
      },
      end: () => this.ended.resolve(),
    })
  }

  #line(line: string): void {
    this.received.push({ ...JSON.parse(line), fds: this.#fds })
    this.#fds = []
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

  /** Resolves when everything sent has arrived and had its immediate effects. */
  delivered(): Promise<void> {
    return new Promise(resolve => setImmediate(() => setImmediate(resolve)))
  }

  /** Replies to a command, with its id. */
  reply(to: Received, value: unknown = {}): void {
    this.say({ return: value, ...(to.id !== undefined && { id: to.id }) })
  }

  refuse(to: Received, desc: string): void {
    this.say({ error: { class: 'GenericError', desc }, ...(to.id !== undefined && { id: to.id }) })
  }

  event(event: string, data: object = {}): void {
    this.say({ timestamp: { seconds: 1_700_000_000, microseconds: 250_000 }, event, data })
  }

  /** Greets, and answers until the client is ready. */
  async welcome(): Promise<void> {
    this.say(greeting)
    this.reply(await this.next())
    this.reply(await this.next(), { status: 'running', running: true })
  }
}
