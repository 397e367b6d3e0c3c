export { artefact } from './artefacts.ts'
export { nativeMisfit, qemuPreloadPath } from './binding.ts'
export { closeFd, handOver } from './descriptor.ts'
export { isShortage, SysError } from './errors.ts'
export { makeDirectory } from './files/directory.ts'
export { FileLock, lockFile, lockHolders, lockNamespace, lockOpen } from './files/lock.ts'
export { Memfd, sealedMemfd } from './files/memfd.ts'
export { readOrdinaryFile } from './files/ordinary.ts'
export { requireTrustedPlace } from './files/trusted.ts'
export {
  namedPath,
  nameNamespace,
  nameOf,
  namespaceNames,
  openNamed,
  unnameNamespace,
} from './namespaces/named.ts'
export { NetNamespace, openInNamespace } from './namespaces/namespace.ts'
export { readSysctl, writeSysctl, writeSysctls } from './namespaces/sysctl.ts'
export { openTaps, Tap, type TapOptions } from './namespaces/tap.ts'
export { packageRoot } from './package-root.ts'
export {
  type Detached,
  type DetachedSpec,
  type Exit,
  type Identity,
  type Launched,
  type LaunchSpec,
  launch,
  runAttached,
  spawnAside,
  spawnDetached,
} from './processes/launch.ts'
export { findProgram, isExecutable } from './processes/program.ts'
export {
  runUserScript,
  scriptFailure,
  startFailure,
  type UserScript,
  type UserScriptEnd,
} from './processes/user-script.ts'
export { resizeBuffer } from './sockets/buffer-size.ts'
export { type ConnectWait, connectWhenReady, type StreamPlace } from './sockets/connect.ts'
export { type Bound, type BoundSocket, boundSockets, holderOf } from './sockets/holder.ts'
export { bindInet, type InetPlace, type InetSocket } from './sockets/inet-socket.ts'
export { interfaceAddresses } from './sockets/interfaces.ts'
export { listenStream, StreamListener } from './sockets/listen.ts'
export {
  type NetlinkOptions,
  NetlinkPort,
  type NetlinkReceiver,
  openNetlink,
} from './sockets/netlink-port.ts'
export { openPackets, type PacketPlace, PacketPort, type PacketReceiver } from './sockets/packet-port.ts'
export { adoptStream, connectStream, peerCredentials, StreamPort, socketPair } from './sockets/stream-port.ts'
export { type AskedPlace, type UdpAnswers, UdpAsker } from './sockets/udp-asker.ts'
export {
  type BufferPart,
  type DatagramService,
  type KeptSender,
  longestDatagram,
  openUdp,
  type Sender,
  UdpPort,
} from './sockets/udp-port.ts'
export {
  longestRelayed,
  type RelayCounts,
  type RelaySide,
  type RelayWay,
  UdpRelay,
} from './sockets/udp-relay.ts'
