import { readFileSync, readlinkSync, statSync } from 'node:fs'
import { isSystemError, messageOf } from '../../../base/index.ts'
import { type ChosenConf, chooseResolvConf, systemdResolvConf } from './local-resolver.ts'
import { parseResolvConf } from './resolv-conf.ts'

/** A file is looked at again after this, when a question makes it matter: no timer, no watcher. */
const lookEveryMs = 1000

/** resolv.conf, followed the way glibc does: by what the path leads to now, through any symlinks, when it is needed. */
export class ConfFile {
  readonly path: string
  readonly #mainNamespace: boolean
  #lookedAt = Number.NEGATIVE_INFINITY
  #seen = ''

  constructor(path: string, mainNamespace: boolean) {
    this.path = path
    this.#mainNamespace = mainNamespace
  }

  /** What it says, when that may be something else than the last time; else undefined. */
  changed(now: number): ChosenConf | undefined {
    if (now - this.#lookedAt < lookEveryMs) return undefined
    this.#lookedAt = now
    const seen = identity(this.path)
    if (seen === this.#seen) return undefined
    return this.read()
  }

  /** What it says now. */
  read(): ChosenConf {
    this.#seen = identity(this.path)
    try {
      const text = readFileSync(this.path, 'utf8')
      const systemd = this.#mainNamespace ? undefined : textOf(systemdResolvConf)
      const chosen = chooseResolvConf({ text, systemd, mainNamespace: this.#mainNamespace })
      const notices = chosen.notices.map(notice => `${this.path}: ${notice}`)
      if (chosen.conf.servers.length === 0 && notices.length === 0)
        notices.push(`${this.path} names no name server: only names known here are answered`)
      return { conf: chosen.conf, notices }
    } catch (failure) {
      return { conf: parseResolvConf(''), notices: [`${this.path} cannot be read: ${messageOf(failure)}`] }
    }
  }
}

/** Changes when the file is written, replaced, or the symlink turned to another one. */
function identity(path: string): string {
  try {
    const { dev, ino, size, mtimeNs } = statSync(path, { bigint: true })
    return `${dev}:${ino}:${size}:${mtimeNs}`
  } catch (failure) {
    // Gone, a symlink to itself, not ours to see: reading it will say so.
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
 * Whether this process is in the network namespace that the machine (or container) booted with. Who may not look at
 * process 1 is taken to be: only root makes network namespaces without a user namespace around them.
 */
export function inMainNamespace(): boolean {
  try {
    return readlinkSync('/proc/1/ns/net') === readlinkSync('/proc/self/ns/net')
  } catch {
    return true
  }
}
