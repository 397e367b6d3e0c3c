import type { Duplex } from 'node:stream'

/** The descriptor of a connected socket, unless that is closed. Node has no public way to it. */
export function descriptorOf(socket: Duplex): number | undefined {
  const fd = (socket as unknown as { _handle?: { fd?: number } })._handle?.fd
  return fd !== undefined && fd >= 0 ? fd : undefined
}
