import { addressBytes, shape, taken } from '../base/index.ts'
import { type Connection, connect, type NetNamespace, request } from '../netlink/index.ts'
import {
  type InetSocket,
  inetSocketOf,
  type SocketState,
  stateBits,
  states,
  type UnixSocket,
  unixSocketOf,
} from './socket.ts'
import * as wire from './wire.ts'

/** Which sockets a listing has. Without fields: all of TCP and UDP. */
export interface SocketFilter {
  readonly protocol?: 'tcp' | 'udp'
  readonly family?: 4 | 6
  readonly states?: readonly SocketState[]
}

const protocols = { tcp: wire.IPPROTO_TCP, udp: wire.IPPROTO_UDP } as const
const nowhere = new Uint8Array(16)
const anyId = { sourcePort: 0, destinationPort: 0, source: nowhere, destination: nowhere, link: 0 }
/** INET_DIAG_NOCOOKIE. */
const anySocket = 0xffffffffffffffffn

const protocol = shape.oneOf(['tcp', 'udp'])
const family = shape.oneOf([4, 6])
const end = shape.record({ address: shape.text, port: shape.number })
const cookie = shape.of(
  'a number in decimal, as `list` has it',
  value => typeof value === 'string' && /^\d{1,20}$/.test(value),
)
/** What the calls take, for callers without a compiler. */
const filterShape = shape.options({ protocol, family, states: shape.list(shape.oneOf(states)) })
const socketShape = shape.record(
  { protocol, family, local: end, remote: end, cookie },
  { link: shape.number },
)

/** The sockets of a network namespace (NETLINK_SOCK_DIAG), as `ss` lists them. */
export class Sockets implements AsyncDisposable {
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** TCP and UDP sockets. `ss -tuan [state <state>]` */
  async list(filter: SocketFilter = {}): Promise<InetSocket[]> {
    const { protocol, family, states } = taken('list sockets', filter, filterShape)
    const found: InetSocket[] = []
    for (const which of protocol === undefined ? (['tcp', 'udp'] as const) : [protocol])
      for (const version of family === undefined ? ([4, 6] as const) : [family]) {
        const value = {
          family: version === 4 ? wire.AF_INET : wire.AF_INET6,
          protocol: protocols[which],
          extensions: wire.allExtensions,
          pad: 0,
          states: stateBits(states) >>> 0,
          id: { ...anyId, cookie: anySocket },
        }
        const about = { type: wire.SOCK_DIAG_BY_FAMILY, op: 'list', target: `${which} sockets` }
        for await (const socket of this.#connection.dump(
          request(wire.inetRequest, value, about),
          ({ body }) => inetSocketOf(wire.inetMessage.read(body), which),
        ))
          found.push(socket)
      }
    return found
  }

  /** Unix sockets. `ss -xa` */
  async listUnix(): Promise<UnixSocket[]> {
    const value = { family: wire.AF_UNIX, protocol: 0, pad: 0, states: 0xffffffff, inode: 0 }
    const about = { type: wire.SOCK_DIAG_BY_FAMILY, op: 'list', target: 'unix sockets' }
    const asking = request(wire.unixRequest, { ...value, show: wire.UDIAG_SHOW, cookie: anySocket }, about)
    const found: UnixSocket[] = []
    for await (const socket of this.#connection.dump(asking, ({ body }) =>
      unixSocketOf(wire.unixMessage.read(body)),
    ))
      found.push(socket)
    return found
  }

  /** Aborts a listed socket: its program gets ECONNABORTED. Needs CAP_NET_ADMIN. `ss -K …` */
  async destroy(socket: InetSocket): Promise<void> {
    const { protocol, family, local, remote, link = 0, cookie } = taken('destroy socket', socket, socketShape)
    const value = {
      family: family === 4 ? wire.AF_INET : wire.AF_INET6,
      protocol: protocols[protocol],
      extensions: 0,
      pad: 0,
      states: 0xffffffff,
      id: {
        sourcePort: local.port,
        destinationPort: remote.port,
        source: addressBytes(local.address),
        destination: addressBytes(remote.address),
        link,
        cookie: BigInt(cookie),
      },
    }
    const target = `${protocol} ${local.address} ${local.port}`
    await this.#connection.request(
      request(wire.inetRequest, value, { type: wire.SOCK_DESTROY, op: 'destroy socket', target }),
    )
  }

  close(): Promise<void> {
    return this.#connection.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** Opens the listing of a network namespace's sockets. Default: this process's own. */
export function openSockets(options: { readonly namespace?: NetNamespace } = {}): Sockets {
  taken('open sock_diag', options, shape.options())
  return new Sockets(connect('sockDiag', options))
}
