import { constants, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { addressBytes } from '../../base/index.ts'
import { closeFd } from '../descriptor.ts'
import { type NetNamespace, openInNamespace } from '../namespaces/namespace.ts'

/** An address and port that a socket is bound to. `tcp` means a listening socket. */
export interface Bound {
  readonly protocol: 'tcp' | 'udp'
  readonly address: string
  readonly port: number
  /** Absent: the namespace of this process. */
  readonly namespace?: NetNamespace
}

/**
 * What holds a port, for the message that it is taken: `qemu-system-x86 (process 4711)`, or
 * `a process of user 1000` when /proc does not show another user's process. Undefined when the port is free.
 * A socket bound to all addresses holds the port on each of them. Equivalent: `ss -lntup`.
 */
export function holderOf(wanted: Bound): string | undefined {
  const found = [wanted.protocol, `${wanted.protocol}6`]
    .flatMap(table => boundSockets(tableOf(table, wanted.namespace)))
    .find(socket => covers(socket, wanted))
  if (!found) return undefined
  const pid = processWith(found.inode)
  if (pid === undefined) return `a process of user ${found.uid}`
  return `${readText(`/proc/${pid}/comm`).trim() || 'a process'} (process ${pid})`
}

export interface BoundSocket {
  /** 4 or 16 bytes. */
  readonly address: Uint8Array
  readonly port: number
  readonly uid: number
  readonly inode: string
}

/**
 * The sockets of /proc/net/tcp, udp, tcp6 or udp6 without a fixed peer (states LISTEN and, for UDP, CLOSE).
 * Addresses there are 32-bit words in the machine's byte order (net/ipv4/tcp_ipv4.c, get_tcp4_sock).
 */
export function boundSockets(table: string): BoundSocket[] {
  return table.split('\n').flatMap(line => {
    const fields = line.trim().split(/\s+/)
    const [, address, port] = /^([\dA-F]+):([\dA-F]{4})$/.exec(fields[1] ?? '') ?? []
    if (!address || !port || !['0A', '07'].includes(fields[3]!)) return []
    const words = Buffer.from(address, 'hex').swap32()
    return [{ address: words, port: Number.parseInt(port, 16), uid: Number(fields[7]), inode: fields[9]! }]
  })
}

function covers({ address, port }: BoundSocket, wanted: Bound): boolean {
  if (port !== wanted.port) return false
  return address.every(byte => byte === 0) || Buffer.from(addressBytes(wanted.address)).equals(address)
}

/** The process that has a socket open. Only root can see those of other users. */
function processWith(inode: string): number | undefined {
  const pids = readdirSync('/proc').filter(name => /^\d+$/.test(name))
  return pids.map(Number).find(pid => {
    try {
      const fds = readdirSync(`/proc/${pid}/fd`)
      return fds.some(fd => linkOf(`/proc/${pid}/fd/${fd}`) === `socket:[${inode}]`)
    } catch {
      return false
    }
  })
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

function tableOf(name: string, namespace: NetNamespace | undefined): string {
  if (!namespace) return readText(`/proc/net/${name}`)
  try {
    const fd = openInNamespace(namespace, `/proc/thread-self/net/${name}`, constants.O_RDONLY)
    try {
      return readFileSync(fd, 'latin1')
    } finally {
      closeFd(fd)
    }
  } catch {
    return ''
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
