import { chmod, type FileHandle, lutimes, mkdir, open, symlink, utimes } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { printable } from '../base/index.ts'
import { FileError } from './errors.ts'
import type { FilePart, FileRecord } from './record.ts'
import type { Tally } from './source.ts'

/**
 * Writes records that a guest sends into an empty directory of ours. The guest chooses every name, so none is followed:
 * a file is made only in a directory that its own record has made, and never where something is. Links that lead out of
 * what is copied, devices and set-user-id bits are left out, and said.
 */
export class Unpacker {
  readonly #root: string
  readonly #tally: Tally
  /** The names of what was named on its own; the others are below those. */
  readonly tops: string[] = []
  readonly #directories = new Map<string, FileRecord>()
  #file: { readonly handle: FileHandle; readonly record: FileRecord } | undefined

  constructor(root: string, tally: Tally) {
    this.#root = root
    this.#tally = tally
  }

  async take(part: FilePart): Promise<void> {
    if (part.kind === 'content') {
      this.#tally.add(part.bytes.length)
      await this.#file!.handle.appendFile(part.bytes)
    } else if (part.kind === 'end') await this.#endFile()
    else if (part.kind === 'other') this.#skip(part, 'is a socket, pipe or device')
    else if (part.kind !== 'last') await this.#make(part)
  }

  /** After the last record: directories get their modes and times, which files made in them have changed. */
  async finish(): Promise<void> {
    for (const [name, record] of [...this.#directories].reverse()) {
      await chmod(join(this.#root, name), record.mode & 0o777)
      await utimes(join(this.#root, name), seconds(record), seconds(record))
    }
  }

  async close(): Promise<void> {
    await this.#file?.handle.close()
  }

  async #make(record: FileRecord): Promise<void> {
    const path = join(this.#root, this.#checked(record.name))
    if (record.kind === 'link') await this.#link(record, path)
    else if (record.kind === 'directory') {
      await mkdir(path, 0o700)
      this.#directories.set(record.name, record)
    } else {
      this.#tally.begin(record.name)
      this.#file = { record, handle: await open(path, 'wx', 0o600) }
    }
  }

  /** Throws unless it is below a directory that has come before. */
  #checked(name: string): string {
    const parts = name.split('/')
    const above = parts.slice(0, -1).join('/')
    const isName = parts.every(part => !['', '.', '..'].includes(part) && !part.includes('\0'))
    if (!isName || (above !== '' && !this.#directories.has(above))) throw unsafe(name)
    if (above === '') this.tops.push(name)
    return name
  }

  async #link(record: FileRecord, path: string): Promise<void> {
    const { name, target } = record
    const [top] = name.split('/')
    const goal = posix.normalize(posix.join(posix.dirname(name), target))
    const isInside = !target.startsWith('/') && (goal === top || goal.startsWith(`${top}/`))
    if (!isInside || target.includes('\0') || target === '')
      return this.#skip(record, `is a link out of it, to ${printable(target, 200)}`)
    await symlink(target, path)
    await lutimes(path, seconds(record), seconds(record))
  }

  async #endFile(): Promise<void> {
    const { handle, record } = this.#file!
    this.#file = undefined
    await using file = handle
    await file.chmod(record.mode & 0o777)
    await file.utimes(seconds(record), seconds(record))
    if ((record.mode & 0o6000) !== 0) this.#skip(record, 'was set-user-id or set-group-id, and is not here')
  }

  #skip({ name }: FileRecord, why: string): void {
    if (this.#tally.skipped.length < mostSkipped) this.#tally.skipped.push(`${printable(name, 200)} ${why}`)
  }
}

/** A guest can have any number of devices. */
const mostSkipped = 1000

const seconds = ({ mtimeNs }: FileRecord): number => Number(mtimeNs / 1000n) / 1e6

function unsafe(name: string): FileError {
  const reason = `the guest sent the name ${JSON.stringify(printable(name, 200))}, which is not below what was asked for`
  return new FileError({ code: 'FILE_UNSAFE', op: 'copy files from', target: 'guest', reason })
}
