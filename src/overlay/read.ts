import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { durationText, reasonOf } from '../base/index.ts'
import {
  readOrdinaryFile,
  runUserScript,
  scriptFailure,
  startFailure,
  type UserScriptEnd,
} from '../sys/index.ts'
import { type ArchiveContent, readArchive } from './archive.ts'
import { unusable } from './errors.ts'
import type { OverlaySource } from './find.ts'

export interface OverlayRun {
  /** The environment of `tar`. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly signal?: AbortSignal | undefined
  /** Milliseconds. Default: 120,000. */
  readonly limitMs?: number
}

/** Bytes of an archive: more than fits into any guest's memory. */
const most = 2 ** 31

/** The content of an overlay: what its `tar -` writes, or what its archive has. */
export async function readOverlay(source: OverlaySource, run: OverlayRun): Promise<ArchiveContent> {
  if (source.packages.length > 0 && !existsSync(join(source.path, 'tar'))) return { entries: [], remarks: [] }
  const from = source.kind === 'directory' ? `${source.path}/tar` : source.path
  return readArchive(await overlayArchive(source, run), from)
}

/** Its archive, which may be compressed. */
export async function overlayArchive(
  { path, kind, name }: OverlaySource,
  run: OverlayRun,
): Promise<Uint8Array> {
  if (kind === 'directory') return await runTar(path, run)
  return await readOrdinaryFile(path, most).catch(failure => {
    throw unusable(name, `${path}: ${reasonOf(failure)}`)
  })
}

async function runTar(
  directory: string,
  { env, signal, limitMs = 120_000 }: OverlayRun,
): Promise<Uint8Array> {
  const file = join(directory, 'tar')
  mustBeExecutable(directory, file)
  const limit = AbortSignal.timeout(limitMs)
  const either = signal ? AbortSignal.any([signal, limit]) : limit
  const end = await runUserScript({ file, args: ['-'], env, signal: either, most })
  signal?.throwIfAborted()
  if (limit.aborted)
    throw unusable(
      file,
      `it did not end within ${durationText(limitMs)}, and was killed with its child processes`,
    )
  if (end.overflowed) throw unusable(file, `it wrote more than ${most / 2 ** 20} MiB`)
  if (end.code !== 0) throw unusable(file, howItEnded(end))
  return end.stdout
}

function mustBeExecutable(directory: string, file: string): void {
  if (!statSync(file, { throwIfNoEntry: false })?.isFile())
    throw unusable(
      directory,
      'it has neither a program `tar`, which writes the files for guests as a tar archive, nor a list of `packages`',
    )
  try {
    accessSync(file, constants.X_OK)
  } catch {
    throw unusable(file, 'it is not executable', { remedy: `Run: chmod +x ${file}` })
  }
}

function howItEnded(end: UserScriptEnd): string {
  const why = startFailure(end)
  return why === undefined ? `it ${scriptFailure(end)}` : `it cannot be started: ${why}`
}
