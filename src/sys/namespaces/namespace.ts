import { constants, fstatSync } from 'node:fs'
import { binding } from '../binding.ts'
import { closeFd } from '../descriptor.ts'
import { attempt, closed, type SyscallFailure } from '../errors.ts'
import { explainBirth } from './rootless.ts'

/**
 * A network namespace, held by an open file alone: it has no name and no mount. It goes when the last fd,
 * socket and process in it has gone. Equivalent of `ip netns`, without its files.
 */
export class NetNamespace implements AsyncDisposable {
  #fd: number | undefined
  #userFd: number | undefined
  #inode: number | undefined

  private constructor(fd: number, userFd?: number) {
    this.#fd = fd
    this.#userFd = userFd
  }

  /**
   * A new namespace, with nothing in it but `lo` (down). For root it is a network namespace alone. For other
   * users it comes with a user namespace of which they are root. Code that uses it works alike on both.
   */
  static create(): NetNamespace {
    const rootless = process.geteuid!() !== 0
    try {
      return new NetNamespace(...binding().createNamespace(rootless))
    } catch (failure) {
      throw explainBirth(failure, rootless)
    }
  }

  /** The namespace that this process runs in. */
  static current(): NetNamespace {
    return NetNamespace.open('/proc/self/ns/net')
  }

  /** A namespace with a path: `/proc/<pid>/ns/net`, `/run/netns/<name>`. */
  static open(path: string): NetNamespace {
    return new NetNamespace(
      attempt('open network namespace', path, () => binding().openIn(-1, path, constants.O_RDONLY)),
    )
  }

  get fd(): number {
    if (this.#fd === undefined) throw closed('network namespace')
    return this.#fd
  }

  /**
   * The inode that `stat` gives for it. The same inode is the same namespace. Asked for when it is first used: a
   * first stat costs 0.4 ms.
   */
  get inode(): number {
    this.#inode ??= fstatSync(this.fd).ino
    return this.#inode
  }

  /** The user namespace that was made with it, if any. */
  get userFd(): number | undefined {
    return this.#userFd
  }

  /** The path at which other processes find it while this process lives: `nsenter --net=<path>`. */
  get path(): string {
    return `/proc/${process.pid}/fd/${this.fd}`
  }

  /**
   * The path of the user namespace that was made with it, if any. Users other than root enter through it:
   * `nsenter --user=<userPath> --net=<path> --preserve-credentials`.
   */
  get userPath(): string | undefined {
    return this.#userFd === undefined ? undefined : `/proc/${process.pid}/fd/${this.#userFd}`
  }

  close(): Promise<void> {
    if (this.#fd !== undefined) this.#inode ??= fstatSync(this.#fd).ino // traces of a socket in it still name it
    for (const fd of [this.#fd, this.#userFd]) if (fd !== undefined) closeFd(fd)
    this.#fd = undefined
    this.#userFd = undefined
    return Promise.resolve()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** The fd that the addon takes: of a namespace, or -1 for this process's own. */
export function namespaceFd(namespace: NetNamespace | undefined): number {
  return namespace?.fd ?? -1
}

/** Opens a file as it appears in the namespace (`/proc/thread-self/net/dev`). The caller closes the fd. */
export function openInNamespace(namespace: NetNamespace | undefined, path: string, flags: number): number {
  return attempt('open', path, () => binding().openIn(namespaceFd(namespace), path, flags))
}

/** Where in a list the part is that a system call failed for. */
export function indexOf(failure: SyscallFailure & { readonly index?: number }): number {
  return failure.index ?? 0
}
