import { readFileSync, readlinkSync, statSync } from 'node:fs'
import { isSystemError, messageOf } from '../../../base/index.ts'
import { type ChosenConf, chooseResolvConf, systemdResolvConf } from './local-resolver.ts'
import { parseResolvConf } from './resolv-conf.ts'

/** The file is checked when a query needs it and this much time has passed: no timer, no watcher. */
const lookEveryMs = 1000

/**
 * resolv.conf, followed the way glibc does it: by the file that the path leads to when it is needed, through
 * any symlinks.
 */
export class ConfFile {
  readonly path: string
  readonly #mainNamespace: boolean
  #lookedAt = Number.NEGATIVE_INFINITY
  #seen = ''

  constructor(path: string, mainNamespace: boolean) {
    this.path = path
    this.#mainNamespace = mainNamespace
  }

  /** Its contents if they may have changed since the last time; otherwise undefined. */
  changed(now: number): ChosenConf | undefined {
    if (now - this.#lookedAt < lookEveryMs) return undefined
    this.#lookedAt = now
    const seen = identity(this.path)
    if (seen === this.#seen) return undefined
    return this.read()
  }

  /** Its contents now. */
  read(): ChosenConf {
    this.#seen = identity(this.path)
    try {
      const text = readFileSync(this.path, 'utf8')
      const systemd = this.#mainNamespace ? undefined : textOf(systemdResolvConf)
      const chosen = chooseResolvConf({ text, systemd, mainNamespace: this.#mainNamespace })
      const notices = chosen.notices.map(notice => `${this.path}: ${notice}`)
      if (chosen.conf.servers.length === 0 && notices.length === 0)
        notices.push(`${this.path} has no name servers: only local names are answered`)
      return { conf: chosen.conf, notices }
    } catch (failure) {
      return { conf: parseResolvConf(''), notices: [`${this.path} cannot be read: ${messageOf(failure)}`] }
    }
  }
}

/** Changes when the file is written or replaced, or when the symlink points to another file. */
function identity(path: string): string {
  try {
    const { dev, ino, size, mtimeNs } = statSync(path, { bigint: true })
    return `${dev}:${ino}:${size}:${mtimeNs}`
  } catch (failure) {
    // Missing, a symlink loop, or not readable: reading the file will report it.
    return messageOf(failure)
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (failure) {
    if (isSystemError(failure, 'ENOENT', 'EACCES')) return undefined
    throw failure
  }
}

/**
 * True when this process is in the network namespace that the machine (or container) booted with. A process
 * that cannot read process 1 counts as being in it: only root creates network namespaces without a user
 * namespace.
 */
export function inMainNamespace(): boolean {
  try {
    return readlinkSync('/proc/1/ns/net') === readlinkSync('/proc/self/ns/net')
  } catch {
    return true
  }
}
