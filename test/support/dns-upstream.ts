import { createSocket, type Socket } from 'node:dgram'
import { createServer, type Server, type Socket as TcpSocket } from 'node:net'
import { type Answer, type DecodedPacket, decode, encode } from 'dns-packet'
import { Queue } from '../../src/base/index.ts'
import { Frames, framed } from '../../src/dns/wire/frames.ts'

/** A query as a {@link FakeUpstream} received it. */
export interface Asked {
  readonly bytes: Buffer
  readonly packet: DecodedPacket & { id: number }
  readonly name: string
  readonly type: string
  readonly transport: 'udp' | 'tcp'
  /** The source port. */
  readonly port: number
  /** Sends any bytes as the answer; over TCP with their length before them. */
  reply(bytes: Uint8Array): void
  /** Over TCP: ends the connection. */
  hangUp(): void
}

/** What it does with a query. */
export type Behaviour = (asked: Asked) => void

/** A name server on 127.0.0.1, over UDP and TCP on one port, with a behaviour that the test chooses. */
export class FakeUpstream implements AsyncDisposable {
  /** Every query so far. */
  readonly asked: Asked[] = []
  /** TCP connections so far. */
  connections = 0
  behave: Behaviour
  readonly #arrivals = new Queue<Asked>()
  readonly #udp: Socket
  readonly #tcp: Server
  readonly #open = new Set<TcpSocket>()

  static async open(behave: Behaviour = asked => asked.reply(answerTo(asked))): Promise<FakeUpstream> {
    for (;;) {
      const udp = createSocket('udp4')
      await new Promise<void>(resolve => udp.bind(0, '127.0.0.1', resolve))
      const tcp = createServer()
      const free = await new Promise<boolean>(resolve => {
        tcp.once('error', () => resolve(false))
        tcp.listen(udp.address().port, '127.0.0.1', () => resolve(true))
      })
      if (free) return new FakeUpstream(udp, tcp, behave)
      udp.close()
    }
  }

  private constructor(udp: Socket, tcp: Server, behave: Behaviour) {
    this.#udp = udp
    this.#tcp = tcp
    this.behave = behave
    udp.on('message', (bytes, { port, address }) => {
      const reply = (answer: Uint8Array) => udp.send(answer, port, address)
      this.#arrived({ bytes, transport: 'udp', port, reply, hangUp() {} })
    })
    tcp.on('connection', socket => this.#connected(socket))
  }

  /** `127.0.0.1:40000`. */
  get address(): string {
    return `127.0.0.1:${this.#udp.address().port}`
  }

  /** The next query that was not returned yet. */
  async next(): Promise<Asked> {
    return (await this.#arrivals.next()).value
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#open) socket.destroy()
    await Promise.all([
      new Promise<void>(resolve => this.#udp.close(resolve)),
      new Promise(resolve => this.#tcp.close(resolve)),
    ])
  }

  #connected(socket: TcpSocket): void {
    const frames = new Frames()
    this.connections++
    this.#open.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => this.#open.delete(socket))
    socket.on('data', data => {
      for (const bytes of frames.messages(data)) {
        const port = socket.remotePort!
        const reply = (answer: Uint8Array) => void socket.write(framed(answer))
        this.#arrived({ bytes, transport: 'tcp', port, reply, hangUp: () => void socket.destroy() })
      }
    })
  }

  #arrived(raw: Pick<Asked, 'bytes' | 'transport' | 'port' | 'reply' | 'hangUp'>): void {
    const packet = decode(raw.bytes) as Asked['packet']
    const [question] = packet.questions!
    const asked = { ...raw, packet, name: question!.name, type: question!.type }
    this.asked.push(asked)
    this.#arrivals.push(asked)
    this.behave(asked)
  }
}

/** The contents of an answer, in the terms of dns-packet. */
export interface Content {
  readonly answers?: Answer[]
  readonly authorities?: Answer[]
  readonly additionals?: Answer[]
  readonly rcode?: number
  /** Header flags besides RD and RA: `0x200` for TC. */
  readonly flags?: number
}

/** An answer to the query. By default it has one A record, 192.0.2.1 for 300 s. */
export function answerTo({ packet, name }: Asked, content: Content = { answers: [address(name)] }): Buffer {
  const { answers = [], authorities = [], additionals = [], rcode = 0, flags = 0 } = content
  return encode({
    type: 'response',
    id: packet.id,
    flags: 0x0180 | flags | rcode,
    questions: packet.questions!,
    answers,
    authorities,
    additionals,
  })
}

export function address(name: string, data = '192.0.2.1', ttl = 300): Answer {
  return { type: data.includes(':') ? 'AAAA' : 'A', name, ttl, data } as Answer
}

/** The SOA of a negative answer. */
export function soa(name: string, { ttl, minimum }: { ttl: number; minimum: number }): Answer {
  const data = {
    mname: `ns.${name}`,
    rname: `root.${name}`,
    serial: 1,
    refresh: 1,
    retry: 1,
    expire: 1,
    minimum,
  }
  return { type: 'SOA', name, ttl, data }
}

/** A query as a stub resolver sends it. */
export function query(
  name: string,
  options: { type?: string; id?: number; flags?: number; edns?: number; dnssec?: boolean } = {},
): Buffer {
  const { type = 'A', id = 0x1234, flags = 0x0100, edns, dnssec = false } = options
  return encode({
    type: 'query',
    id,
    flags,
    questions: [{ type: type as 'A', name }],
    additionals:
      edns === undefined
        ? []
        : [
            {
              type: 'OPT',
              name: '.',
              udpPayloadSize: edns,
              flags: dnssec ? 0x8000 : 0,
              extendedRcode: 0,
              ednsVersion: 0,
              flag_do: dnssec,
              options: [],
            },
          ],
  })
}
