import { createSocket } from 'node:dgram'
import { connect, isIPv6 } from 'node:net'
import type { Port, PortReceiver } from '../../../base/index.ts'
import type { Server } from '../conf/server.ts'

/** Opens sockets to upstreams: a new one each time. */
export interface Dialer {
  /**
   * A connected socket from a random port that the kernel chooses: it receives datagrams from the server
   * alone.
   */
  udp(server: Server): Port
  tcp(server: Server): Port
}

/** The sockets of the namespace that this process is in. */
export const systemDialer: Dialer = { udp: udpPort, tcp: tcpPort }

const hostOf = ({ address, scope }: Server) => (scope === undefined ? address : `${address}%${scope}`)

/** Passes events to its receiver. Events from before there was one are kept for it. */
class BufferedReceiver {
  #receiver: PortReceiver | undefined
  readonly #early: ((receiver: PortReceiver) => void)[] = []
  #ended = false

  set(receiver: PortReceiver): void {
    this.#receiver = receiver
    for (const tell of this.#early.splice(0)) tell(receiver)
  }
  data(bytes: Uint8Array): void {
    this.#tell(receiver => receiver.data(bytes))
  }
  end(failure?: Error): void {
    if (this.#ended) return
    this.#tell(receiver => receiver.end(failure))
    this.#ended = true
  }
  /** Drops all further events. */
  close(): void {
    this.#ended = true
    this.#early.length = 0
  }
  #tell(what: (receiver: PortReceiver) => void): void {
    if (this.#ended) return
    if (this.#receiver) what(this.#receiver)
    else this.#early.push(what)
  }
}

function udpPort(server: Server): Port {
  const host = hostOf(server)
  const family = isIPv6(host) ? 6 : 4
  // An address needs no lookup, which would cost a turn of the thread pool.
  const socket = createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    lookup: (name, _, done) => done(null, name, family),
  })
  const events = new BufferedReceiver()
  const waiting: Uint8Array[] = []
  let state: 'connecting' | 'connected' | 'closed' = 'connecting'
  socket.on('error', failure => events.end(failure))
  socket.on('message', bytes => events.data(bytes))
  socket.on('connect', () => {
    // Also called after the socket was closed meanwhile.
    if (state === 'closed') return
    state = 'connected'
    for (const bytes of waiting.splice(0)) socket.send(bytes)
  })
  const gone = new Promise<void>(resolve => socket.on('close', () => resolve()))
  const close = () => {
    if (state !== 'closed') socket.close()
    state = 'closed'
    events.close()
    return gone
  }
  socket.connect(server.port, host)
  return {
    receive: receiver => events.set(receiver),
    send(bytes) {
      if (state === 'connected') socket.send(bytes)
      else waiting.push(bytes)
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

function tcpPort(server: Server): Port {
  const socket = connect({ host: hostOf(server), port: server.port, noDelay: true })
  const events = new BufferedReceiver()
  const closed = new Promise<void>(resolve => socket.on('close', () => resolve()))
  socket.on('error', failure => events.end(failure))
  socket.on('end', () => events.end())
  socket.on('close', () => events.end())
  socket.on('data', bytes => events.data(bytes))
  const close = () => {
    events.close()
    socket.destroy()
    return closed
  }
  return {
    receive: receiver => events.set(receiver),
    send: bytes => void socket.write(bytes),
    close,
    [Symbol.asyncDispose]: close,
  }
}
