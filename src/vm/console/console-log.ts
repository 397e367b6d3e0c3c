import { closeSync, openSync, writeSync } from 'node:fs'
import { reasonOf } from '../../base/index.ts'
import { VmError } from '../errors.ts'

/** A guest can print without end, and the disk is finite. */
const limit = 64 << 20

/**
 * A console's log file. Writes are not buffered: the last line is there even after a SIGKILL. A full disk
 * ends the log, not the VM.
 */
export class ConsoleLog {
  #fd: number | undefined
  #left = limit

  constructor(path: string, name: string) {
    try {
      this.#fd = openSync(path, 'a', 0o600)
    } catch (failure) {
      throw new VmError({
        code: 'CONSOLE_LOG',
        op: 'open console log of',
        target: name,
        reason: reasonOf(failure),
        cause: failure,
      })
    }
  }

  write(bytes: Uint8Array): void {
    if (this.#fd === undefined) return
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at)
      this.#left -= bytes.length
      if (this.#left <= 0)
        writeSync(this.#fd, `\n[xcluster: the log ends here, at its limit of ${limit >> 20} MiB]\n`)
    } catch {
      this.#left = 0
    }
    if (this.#left <= 0) this.close()
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }
}
