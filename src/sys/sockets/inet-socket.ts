import { addressBytes } from '../../base/index.ts'
import { binding } from '../binding.ts'
import * as kernel from '../constants.ts'
import { closeFd } from '../descriptor.ts'
import { attempt } from '../errors.ts'
import { type NetNamespace, namespaceFd } from '../namespaces/namespace.ts'
import { interfaceAddresses } from './interfaces.ts'

export interface InetPlace {
  /** `::` includes IPv4. An IPv6 address may name its interface, `fe80::1%eth0`. */
  readonly address: string
  /** 0 for any free port. */
  readonly port: number
  readonly namespace?: NetNamespace
  /**
   * Several sockets of the same user can share the port; the kernel spreads the traffic over them
   * (SO_REUSEPORT).
   */
  readonly reusePort?: boolean
}

/** A bound socket. The caller closes its fd, or hands it over. */
export interface InetSocket {
  readonly fd: number
  readonly port: number
}

/** struct sockaddr_in6, include/uapi/linux/in6.h */
const sockaddrSize = 28
const mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]

/** A bound socket for both families. A stream socket does not listen yet. */
export function bindInet(type: 'udp' | 'tcp', place: InetPlace): InetSocket {
  const { address, port, namespace, reusePort } = place
  const { socketIn, setOption, bindAddress } = binding()
  const where = socketAddress(address, port)
  return attempt('listen on', `${address}, ${type} port ${port}`, () => {
    const kind = type === 'udp' ? kernel.SOCK_DGRAM : kernel.SOCK_STREAM
    const fd = socketIn(namespaceFd(namespace), kernel.AF_INET6, kind, 0)
    try {
      setOption(fd, kernel.IPPROTO_IPV6, kernel.IPV6_V6ONLY, 0)
      // Without it, ended connections (TIME_WAIT) would hold the port of a stream socket for a minute.
      if (type === 'tcp') setOption(fd, kernel.SOL_SOCKET, kernel.SO_REUSEADDR, 1)
      if (reusePort) setOption(fd, kernel.SOL_SOCKET, kernel.SO_REUSEPORT, 1)
      bindAddress(fd, where)
      return { fd, port: (where[2]! << 8) | where[3]! }
    } catch (failure) {
      closeFd(fd)
      throw failure
    }
  })
}

/** A struct sockaddr_in for an IPv4 address, and a sockaddr_in6 for any other. */
export function plainSockaddr(text: string, port: number): Uint8Array {
  if (text.includes(':')) return socketAddress(text, port)
  const where = new Uint8Array(16)
  where.set([kernel.AF_INET, 0, port >> 8, port & 0xff, ...addressBytes(text)])
  return where
}

/** A struct sockaddr_in6: IPv4 addresses are mapped ones. */
export function socketAddress(text: string, port: number): Uint8Array {
  const [address = '', scope] = text.split('%')
  const bytes = addressBytes(address)
  const where = new Uint8Array(sockaddrSize)
  where.set([kernel.AF_INET6, 0, port >> 8, port & 0xff])
  where.set(bytes.length === 4 ? [...mapped, ...bytes] : bytes, 8)
  new DataView(where.buffer).setUint32(24, scope === undefined ? 0 : scopeId(scope), true)
  return where
}

function scopeId(scope: string): number {
  const found = interfaceAddresses()[scope]?.find(({ family }) => family === 'IPv6')
  return Number((found?.family === 'IPv6' && found.scopeid) || scope) || 0
}
