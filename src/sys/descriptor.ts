import { binding } from './binding.ts'
import { attempt } from './errors.ts'

/**
 * Closes a descriptor that came from this floor. `node:fs` would warn in a worker thread: it closes what it has opened.
 */
export function closeFd(fd: number): void {
  attempt('close', `file descriptor ${fd}`, () => binding().close(fd))
}

/** Hands a descriptor that came from this floor to something else, which closes it. */
export function handOver(fd: number): number {
  binding().disown(fd)
  return fd
}
