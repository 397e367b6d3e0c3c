export { SysError } from './errors.ts'
export { FileLock, lockFile, lockNamespace } from './files/lock.ts'
export { Memfd, sealedMemfd } from './files/memfd.ts'
export {
  namedPath,
  nameNamespace,
  nameOf,
  namespaceNames,
  openNamed,
  unnameNamespace,
} from './namespaces/named.ts'
export { NetNamespace, openInNamespace } from './namespaces/namespace.ts'
export { readSysctl, writeSysctl } from './namespaces/sysctl.ts'
export { openTaps, Tap, type TapOptions } from './namespaces/tap.ts'
export {
  type Detached,
  type DetachedSpec,
  type Exit,
  type Identity,
  type Launched,
  type LaunchSpec,
  launch,
  runAttached,
  spawnDetached,
} from './processes/launch.ts'
export { runUserScript, type UserScript, type UserScriptEnd } from './processes/user-script.ts'
export { type Bound, type BoundSocket, boundSockets, holderOf } from './sockets/holder.ts'
export { bindInet, type InetPlace, type InetSocket } from './sockets/inet-socket.ts'
export {
  type NetlinkOptions,
  NetlinkPort,
  type NetlinkReceiver,
  openNetlink,
} from './sockets/netlink-port.ts'
export { adoptStream, connectStream, peerCredentials, StreamPort, socketPair } from './sockets/stream-port.ts'
export {
  type BufferPart,
  type DatagramService,
  type KeptSender,
  longestDatagram,
  openUdp,
  type Sender,
  UdpPort,
} from './sockets/udp-port.ts'
