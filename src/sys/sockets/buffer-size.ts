import { binding } from '../binding.ts'
import * as kernel from '../constants.ts'

const options = {
  receive: [kernel.SO_RCVBUFFORCE, kernel.SO_RCVBUF],
  send: [kernel.SO_SNDBUFFORCE, kernel.SO_SNDBUF],
} as const

/**
 * Sets the size of a socket's buffer, in bytes. Only root can exceed net.core.rmem_max; others get at most
 * that.
 */
export function resizeBuffer(fd: number, which: keyof typeof options, bytes: number): void {
  const [forced, asked] = options[which]
  try {
    binding().setOption(fd, kernel.SOL_SOCKET, forced, bytes)
  } catch {
    binding().setOption(fd, kernel.SOL_SOCKET, asked, bytes)
  }
}

/** The size of a socket's buffer, in bytes: twice what was asked for (socket(7)). */
export function bufferSize(fd: number, which: keyof typeof options): number {
  const size = new Int32Array(1)
  binding().getOption(fd, kernel.SOL_SOCKET, options[which][1], new Uint8Array(size.buffer))
  return size[0]!
}
