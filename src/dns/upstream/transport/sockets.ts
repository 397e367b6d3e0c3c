import { createSocket } from 'node:dgram'
import { connect, isIPv6 } from 'node:net'
import type { Port, PortReceiver } from '../../../base/index.ts'
import { type UdpAnswers, UdpAsker } from '../../../sys/index.ts'
import { lacksAddon } from '../../lacks-addon.ts'
import type { Server } from '../conf/server.ts'

/** Opens sockets to upstreams: a new one each time. */
export interface Dialer {
  /**
   * A connected socket from a random port that the kernel chooses: it receives datagrams from the server
   * alone.
   */
  udp(server: Server): Port
  tcp(server: Server): Port
  /**
   * Sends a question at once from such a socket. Returns a number, with which `end` closes it. Throws what the
   * network says. It returns -1, or is not there, where only `udp` does it.
   */
  ask?(server: Server, question: Uint8Array, answers: UdpAnswers): number
  end?(number: number): void
}

/** A dialer with sockets that are closed with it. */
export interface OpenDialer extends Dialer, AsyncDisposable {}

/** The sockets of the namespace that this process is in. */
export const systemDialer: Dialer = { udp: udpPort, tcp: tcpPort }

/** The same, in batches through the addon where that is available. */
export function openDialer(): OpenDialer {
  let asker: UdpAsker | 'none' | undefined
  const places = new WeakMap<Server, Uint8Array>()
  const placeOf = (server: Server): Uint8Array => {
    const known = places.get(server)
    if (known) return known
    const place = UdpAsker.place({ address: hostOf(server), port: server.port })
    places.set(server, place)
    return place
  }
  return {
    ...systemDialer,
    ask(server, question, answers) {
      asker ??= openAsker()
      return asker === 'none' ? -1 : asker.ask(placeOf(server), question, answers)
    },
    end(number) {
      if (asker instanceof UdpAsker) asker.end(number)
    },
    [Symbol.asyncDispose]: async () => {
      if (asker instanceof UdpAsker) await asker.close()
    },
  }
}

function openAsker(): UdpAsker | 'none' {
  try {
    return new UdpAsker()
  } catch (failure) {
    if (lacksAddon(failure)) return 'none'
    throw failure
  }
}

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
