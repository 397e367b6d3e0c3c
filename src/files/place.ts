import { lstat, mkdtemp, readdir, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { isSystemError, reasonOf } from '../base/index.ts'
import { FileError } from './errors.ts'

/** Where a copy goes: `as` that name, `into` that directory, or as cp(1): `into` if it is a directory. */
export type How = 'as' | 'into' | 'auto'

/** The place of a copy on this machine, and a directory beside it in which the copy is made first. */
export class LocalPlace implements AsyncDisposable {
  readonly work: string
  readonly #parent: string
  /** Undefined when what comes keeps its name. */
  readonly #name: string | undefined

  private constructor(parent: string, name: string | undefined, work: string) {
    this.#parent = parent
    this.#name = name
    this.work = work
  }

  /** Throws FILE_TARGET. */
  static async open(path: string, how: How): Promise<LocalPlace> {
    return await targeting(path, async () => {
      const isDirectory = await isDirectoryAt(path)
      if (how === 'into' && !isDirectory) throw refused(path, 'it is not a directory')
      const into = how !== 'as' && isDirectory
      const real = into ? path : await realpath(path).catch(() => resolve(path))
      const parent = into ? path : dirname(real)
      return new LocalPlace(
        parent,
        into ? undefined : basename(real),
        await mkdtemp(join(parent, '.xcluster-get-')),
      )
    })
  }

  /** Renames what has been made to its place. Checks all of it before: what is in the way stays as it is. */
  async settle(tops: readonly string[]): Promise<void> {
    const moves = tops.map(top => ({ from: join(this.work, top), to: join(this.#parent, this.#name ?? top) }))
    if (this.#name !== undefined && tops.length !== 1)
      throw refused(this.#parent, `${tops.length} files cannot have one name`)
    for (const { from, to } of moves) await targeting(to, () => merge(from, to, false))
    for (const { from, to } of moves) await targeting(to, () => merge(from, to, true))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.work, { recursive: true, force: true })
  }
}

async function merge(from: string, to: string, moves: boolean): Promise<void> {
  const ours = await lstat(from)
  const theirs = await (ours.isDirectory() ? stat(to) : lstat(to)).catch(absent)
  if (theirs && ours.isDirectory() && !theirs.isDirectory()) throw refused(to, 'it is not a directory')
  if (theirs?.isDirectory() && !ours.isDirectory()) throw refused(to, 'it is a directory')
  if (theirs && !theirs.isDirectory() && !theirs.isFile() && !theirs.isSymbolicLink())
    throw refused(to, 'it is neither a file nor a directory')
  if (theirs?.isDirectory())
    for (const name of await readdir(from)) await merge(join(from, name), join(to, name), moves)
  else if (moves) await rename(from, to)
}

function absent(failure: unknown): undefined {
  if (!isSystemError(failure, 'ENOENT')) throw failure
}

async function isDirectoryAt(path: string): Promise<boolean> {
  return (await stat(path).catch(absent))?.isDirectory() ?? false
}

async function targeting<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (failure) {
    throw failure instanceof FileError ? failure : refused(path, reasonOf(failure), failure)
  }
}

function refused(path: string, reason: string, cause?: unknown): FileError {
  return new FileError({ code: 'FILE_TARGET', op: 'write', target: path, reason, cause })
}
