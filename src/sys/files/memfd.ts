import { openSync, readSync, writeSync } from 'node:fs'
import { isSystemError } from '../../base/index.ts'
import { binding } from '../binding.ts'
import { F_SEAL_GROW, F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_WRITE } from '../constants.ts'
import { closeFd } from '../descriptor.ts'
import { attempt, closed, SysError } from '../errors.ts'

/** A file in memory, without a name in any directory (memfd_create(2)). */
export class Memfd implements AsyncDisposable {
  readonly name: string
  #fd: number | undefined

  /** `name` shows only in /proc/<pid>/fd. `fd`: one that is open already. */
  constructor(name: string, fd?: number) {
    this.name = name
    this.#fd = fd ?? attempt('create memfd', name, () => binding().createMemfd(name))
  }

  /** One that another process holds open, which may end then. Throws ENOENT and EACCES as open(2) does. */
  static of(pid: number, fd: number, access: 'r' | 'r+' = 'r'): Memfd {
    const path = `/proc/${pid}/fd/${fd}`
    return new Memfd(path, openSync(path, access))
  }

  get fd(): number {
    if (this.#fd === undefined) throw closed(`memfd ${this.name}`)
    return this.#fd
  }

  /**
   * From now on the file cannot be written, resized, or mapped shared and writable. Private mappings still
   * work.
   */
  seal(): void {
    const seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL
    attempt('seal memfd', this.name, () => binding().addSeals(this.fd, seals))
  }

  /**
   * Whether its content is fixed for all processes, this one included. It must be open for writing: the kernel is
   * asked for a seal and for a byte, and must refuse both (`memfd_add_seals` and `shmem_write_begin`, mm).
   */
  get isSealed(): boolean {
    const byte = new Uint8Array(1)
    return (
      readSync(this.fd, byte, 0, 1, 0) === 1 &&
      isRefused(() => this.seal()) &&
      isRefused(() => writeSync(this.fd, byte, 0, 1, 0))
    )
  }

  close(): Promise<void> {
    if (this.#fd !== undefined) closeFd(this.#fd)
    this.#fd = undefined
    return Promise.resolve()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

function isRefused(work: () => unknown): boolean {
  try {
    work()
    return false
  } catch (failure) {
    if (failure instanceof SysError ? failure.errnoName === 'EPERM' : isSystemError(failure, 'EPERM'))
      return true
    throw failure
  }
}

/** A memfd that `fill` has written through its fd, then sealed. */
export async function sealedMemfd(name: string, fill: (fd: number) => void | Promise<void>): Promise<Memfd> {
  const memfd = new Memfd(name)
  try {
    await fill(memfd.fd)
    memfd.seal()
    return memfd
  } catch (failure) {
    await memfd.close()
    throw failure
  }
}
