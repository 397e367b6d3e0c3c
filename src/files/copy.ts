import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { execOutputLimit } from '../api/index.ts'
import { messageOf, printable, reasonOf } from '../base/index.ts'
import type { RunningCommand } from '../stream/index.ts'
import { FileError } from './errors.ts'
import { type How, LocalPlace } from './place.ts'
import { type FilePart, RecordSplitter } from './record.ts'
import { type Copied, type CopyProgress, type PutSource, packed, Tally } from './source.ts'
import { Unpacker } from './unpack.ts'

/** A guest in which commands run. */
export interface CopyGuest {
  /** For errors. */
  readonly name: string
  spawn(words: readonly string[]): Promise<RunningCommand>
}

export interface CopyOptions {
  /** Called for each piece, with what has been copied so far. Must not throw. */
  readonly onProgress?: ((progress: CopyProgress) => void) | undefined
  /** Where it goes. Default: `as` that path; `into` it when the path ends with a slash. */
  readonly how?: How | undefined
}

export interface PutOptions extends CopyOptions {
  /** The mode of a file from content. Default: 0o644. Files keep theirs. */
  readonly mode?: number | undefined
}

const program = '/sbin/xcluster-guest'

const howOf = (path: string, { how }: CopyOptions): How => how ?? (path.endsWith('/') ? 'into' : 'as')

/**
 * Copies files to a guest. They are written beside their place there, and renamed when all have come: a failure leaves
 * what was there. Throws FILE_SOURCE, PUT_FAILED with the reason of the guest's kernel, and what starting a command throws.
 */
export async function putFiles(
  guest: CopyGuest,
  sources: readonly PutSource[],
  { path, ...options }: PutOptions & { readonly path: string },
): Promise<Copied> {
  checkPath('PUT_FAILED', guest, path)
  if (howOf(path, options) !== 'as' && sources.some(source => typeof source !== 'string'))
    throw new FileError({
      code: 'PUT_FAILED',
      kind: 'usage',
      op: 'copy files to',
      target: guest.name,
      reason: `content needs the name of a file, and ${printable(path, 200)} is that of a directory`,
    })
  const tally = new Tally(options.onProgress)
  await using command = await guest.spawn([program, '--put', howOf(path, options), path])
  const words = lastWords(command)
  command.stdout.destroy()
  const records = packed(sources, { tally, name: 'content', mode: options.mode })
  const failure = await pipeline(Readable.from(records, { highWaterMark: 2 }), command.stdin).catch(
    thrown => thrown,
  )
  // The guest has said why it takes no more, or learns by the end of its input that no more comes.
  const { status } = await command.exit
  if (status !== 0 && failure && !isClosed(failure)) throw sourceFailed(failure)
  if (status === 0) return tally.copied
  throw failed('PUT_FAILED', guest, { op: 'copy files to', words: await words, status })
}

/**
 * Copies files from a guest to a path of this machine. They are written beside it, and renamed when all have come.
 * Throws FILE_TARGET, FILE_UNSAFE for names that a guest must not send, GET_FAILED with the reason of the guest's kernel,
 * and what starting a command throws.
 */
export async function getFiles(
  guest: CopyGuest,
  paths: readonly string[],
  { target, ...options }: CopyOptions & { readonly target: string },
): Promise<Copied> {
  for (const path of paths) checkPath('GET_FAILED', guest, path)
  const tally = new Tally(options.onProgress)
  await using place = await LocalPlace.open(target, howOf(target, options))
  const unpacker = new Unpacker(place.work, tally)
  try {
    await received(guest, paths, part => unpacker.take(part))
  } catch (failure) {
    throw isLocal(failure) ? localFailure(target, failure) : failure
  } finally {
    await unpacker.close()
  }
  await unpacker.finish()
  await place.settle(unpacker.tops)
  return tally.copied
}

/**
 * Writes the content of one file of a guest to a stream, which it does not end, as fast as that takes it. Throws
 * GET_FAILED: then what was written is not all of it.
 */
export async function getContent(
  guest: CopyGuest,
  path: string,
  {
    target,
    onProgress,
  }: CopyOptions & { readonly target: Pick<Writable, 'write' | 'once' | 'off' | 'destroyed'> },
): Promise<Copied> {
  checkPath('GET_FAILED', guest, path)
  const tally = new Tally(onProgress)
  await received(guest, [path], async part => {
    if (part.kind === 'file') tally.begin(part.name)
    else if (part.kind === 'directory')
      throw failed('GET_FAILED', guest, {
        op: 'copy files from',
        words: `${path}: Is a directory`,
        status: 1,
      })
    else if (part.kind === 'other')
      throw failed('GET_FAILED', guest, {
        op: 'copy files from',
        words: `${path} is a socket, pipe or device`,
        status: 1,
      })
    if (part.kind !== 'content') return
    tally.add(part.bytes.length)
    if (!target.write(part.bytes)) await drained(target)
  })
  return tally.copied
}

/** The content of one file of a guest, at most 32 MiB. Throws GET_FAILED. */
export async function getBytes(guest: CopyGuest, path: string, options: CopyOptions = {}): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  let length = 0
  const write = (bytes: Uint8Array) => {
    length += bytes.length
    pieces.push(bytes)
    const words = `${path} is longer than ${execOutputLimit >> 20} MiB: copy it to a file or a stream`
    if (length > execOutputLimit)
      throw failed('GET_FAILED', guest, { op: 'copy files from', words, status: 1 })
    return true
  }
  await getContent(guest, path, { ...options, target: { write } as Writable })
  return Buffer.concat(pieces)
}

function drained(target: Pick<Writable, 'once' | 'off' | 'destroyed'>): Promise<void> {
  return new Promise((resolve, reject) => {
    const over = () => {
      for (const event of ['drain', 'close', 'error']) target.off(event, over)
      if (target.destroyed)
        reject(new FileError({ code: 'FILE_TARGET', op: 'write', target: 'stream', reason: 'it was closed' }))
      else resolve()
    }
    for (const event of ['drain', 'close', 'error']) target.once(event, over)
  })
}

async function received(
  guest: CopyGuest,
  paths: readonly string[],
  take: (part: FilePart) => Promise<void>,
): Promise<void> {
  await using command = await guest.spawn([program, '--get', ...paths])
  const words = lastWords(command)
  command.stdin.end()
  const records = new RecordSplitter()
  for await (const bytes of command.stdout)
    for (const part of parts(records, bytes as Uint8Array, guest)) await take(part)
  const { status } = await command.exit
  if (status !== 0 || !records.isWhole)
    throw failed('GET_FAILED', guest, { op: 'copy files from', words: await words, status })
}

function* parts(records: RecordSplitter, bytes: Uint8Array, { name }: CopyGuest): Generator<FilePart> {
  try {
    yield* records.push(bytes)
  } catch (failure) {
    throw new FileError({
      code: 'FILE_UNSAFE',
      op: 'copy files from',
      target: name,
      reason: `what the guest sent cannot be read: ${messageOf(failure)}`,
      cause: failure,
    })
  }
}

/** The end of what it writes to its error output. */
async function lastWords({ stderr }: RunningCommand): Promise<string> {
  let text = ''
  for await (const bytes of stderr) text = `${text}${bytes}`.slice(-1000)
  return text.trim()
}

function checkPath(code: 'PUT_FAILED' | 'GET_FAILED', { name }: CopyGuest, path: string): void {
  if (path !== '' && !path.includes('\0')) return
  const reason =
    path === '' ? 'the path is empty' : `${JSON.stringify(path)} has a NUL byte, which no path can have`
  throw new FileError({ code, kind: 'usage', op: 'copy files with', target: name, reason })
}

interface Failed {
  readonly op: string
  readonly words: string
  readonly status: number
}

function failed(
  code: 'PUT_FAILED' | 'GET_FAILED',
  { name }: CopyGuest,
  { op, words, status }: Failed,
): FileError {
  const reason =
    words === '' ? `the program for that in the guest ended with status ${status}` : printable(words, 500)
  return new FileError({ code, op, target: name, reason })
}

function sourceFailed(failure: unknown): unknown {
  if (failure instanceof FileError) return failure
  return new FileError({
    code: 'FILE_SOURCE',
    op: 'read',
    target: 'source',
    reason: messageOf(failure),
    cause: failure,
  })
}

/** The guest took no more of it. */
const isClosed = (failure: unknown): boolean =>
  (failure as { code?: unknown }).code === 'ERR_STREAM_PREMATURE_CLOSE'

const isLocal = (failure: unknown): boolean => typeof (failure as { syscall?: unknown }).syscall === 'string'

function localFailure(target: string, failure: unknown): FileError {
  return new FileError({
    code: 'FILE_TARGET',
    op: 'write',
    target,
    reason: reasonOf(failure),
    cause: failure,
  })
}
