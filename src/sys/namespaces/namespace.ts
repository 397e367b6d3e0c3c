import { closeSync, fstatSync, openSync } from 'node:fs'
import { binding } from '../binding.ts'
import { attempt, closed } from '../errors.ts'
import { explainBirth } from './rootless.ts'

/**
 * A network namespace, held by an open file alone: it has no name and no mount, and goes when the last fd,
 * socket, interface and process in it has gone. Equivalent of `ip netns`, without its files.
 */
export class NetNamespace implements AsyncDisposable {
  #fd: number | undefined
  #userFd: number | undefined
  /** What `stat` gives for it: the same number is the same namespace. */
  readonly inode: number

  private constructor(fd: number, userFd?: number) {
    this.#fd = fd
    this.#userFd = userFd
    this.inode = fstatSync(fd).ino
  }

  /**
   * A fresh one, with nothing in it but `lo` (down). For root it is a network namespace and no more; others get it
   * with a user namespace around it, of which they are root: nobody who is given one need know which it is.
   */
  static create(): NetNamespace {
    const rootless = process.geteuid!() !== 0
    try {
      return new NetNamespace(...binding().createNamespace(rootless))
    } catch (failure) {
      throw explainBirth(failure, rootless)
    }
  }

  /** The one this process runs in. */
  static current(): NetNamespace {
    return NetNamespace.open('/proc/self/ns/net')
  }

  /** One that has a path: `/proc/<pid>/ns/net`, `/run/netns/<name>`. */
  static open(path: string): NetNamespace {
    return new NetNamespace(attempt('open network namespace', path, () => openSync(path, 'r')))
  }

  get fd(): number {
    if (this.#fd === undefined) throw closed('network namespace')
    return this.#fd
  }

  /** Of the user namespace that was made with it, where it took one. */
  get userFd(): number | undefined {
    return this.#userFd
  }

  /** Where others find it while this process lives: `nsenter --net=<path>`. */
  get path(): string {
    return `/proc/${process.pid}/fd/${this.fd}`
  }

  /**
   * The user namespace that was made with it, where it took one: who is not root goes through that,
   * `nsenter --user=<userPath> --net=<path> --preserve-credentials`.
   */
  get userPath(): string | undefined {
    return this.#userFd === undefined ? undefined : `/proc/${process.pid}/fd/${this.#userFd}`
  }

  close(): Promise<void> {
    for (const fd of [this.#fd, this.#userFd]) if (fd !== undefined) closeSync(fd)
    this.#fd = undefined
    this.#userFd = undefined
    return Promise.resolve()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** The fd the addon takes: of a namespace, or "stay here". */
export function namespaceFd(namespace: NetNamespace | undefined): number {
  return namespace?.fd ?? -1
}

/** Opens a file as the namespace sees it (`/proc/thread-self/net/dev`); the caller closes the fd. */
export function openInNamespace(namespace: NetNamespace | undefined, path: string, flags: number): number {
  return attempt('open', path, () => binding().openIn(namespaceFd(namespace), path, flags))
}
