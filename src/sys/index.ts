export { SysError } from './errors.ts'
export { FileLock, lockFile, lockNamespace } from './file-lock.ts'
export { bindInet, type InetPlace, type InetSocket } from './inet-socket.ts'
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
} from './launch.ts'
export { Memfd, sealedMemfd } from './memfd.ts'
export {
  namedPath,
  nameNamespace,
  nameOf,
  namespaceNames,
  openNamed,
  unnameNamespace,
} from './named-namespace.ts'
export { NetNamespace, openInNamespace } from './namespace.ts'
export { type NetlinkOptions, NetlinkPort, type NetlinkReceiver, openNetlink } from './netlink-port.ts'
export { type Bound, type BoundSocket, boundSockets, holderOf } from './socket-holder.ts'
export { adoptStream, connectStream, peerCredentials, StreamPort, socketPair } from './stream-port.ts'
export { readSysctl, writeSysctl } from './sysctl.ts'
export { openTaps, Tap, type TapOptions } from './tap.ts'
export {
  type BufferPart,
  type DatagramService,
  type KeptSender,
  longestDatagram,
  openUdp,
  type Sender,
  UdpPort,
} from './udp-port.ts'
export { runUserScript, type UserScript, type UserScriptEnd } from './user-script.ts'
