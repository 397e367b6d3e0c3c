import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type DecodedPacket, decode, encode } from 'dns-packet'
import { Queue } from '../../src/base/index.ts'
import { Frames, framed } from '../../src/dns/wire/frames.ts'

/** A query for the IPv4 addresses of `name`, encoded by dns-packet. */
export function questionFor(name: string, id = 1): Buffer {
  return encode({ id, type: 'query', flags: 0x100, questions: [{ type: 'A', name }] })
}

/** One TCP connection to a DNS server. It sends and receives whole messages. */
export class TcpClient implements AsyncDisposable {
  readonly socket: Socket
  /** Responses in the order of their arrival. Ends with the connection. */
  readonly answers = new Queue<DecodedPacket>()
  readonly closed: Promise<unknown>

  private constructor(socket: Socket) {
    this.socket = socket
    const frames = new Frames()
    socket.on('data', bytes => {
      for (const message of frames.messages(bytes)) this.answers.push(decode(message))
    })
    socket.on('error', () => {})
    this.closed = new Promise<void>(resolve =>
      socket.on('close', () => {
        this.answers.end()
        resolve()
      }),
    )
  }

  /** From this address, which is also one of the server's. */
  static async open(port: number, host = '127.0.0.1'): Promise<TcpClient> {
    const socket = connect({ port, host, localAddress: host })
    await once(socket, 'connect')
    return new TcpClient(socket)
  }

  /** Sends a query for each name, all in one write. */
  ask(...names: string[]): void {
    this.socket.write(Buffer.concat(names.map((name, i) => framed(questionFor(name, i + 1)))))
  }

  async answer(): Promise<DecodedPacket> {
    const { value, done } = await this.answers.next()
    if (done) throw new Error('the connection was closed')
    return value
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy()
    await this.closed
  }
}
