export type { ErrorKind } from '../base/index.ts'
export { NetlinkError, NetNamespace } from '../netlink/index.ts'
export type { InetSocket, SocketAddress, SocketState, UnixSocket } from './socket.ts'
export { openSockets, type SocketFilter, Sockets } from './sockets.ts'
