import { countdown } from '../base/index.ts'
import type { ArchiveEntry } from '../image/index.ts'
import type { GuestChannel } from './channel.ts'
import { append, type GuestStep } from './step.ts'

/** Bytes of content in one message: xcluster-guest reads at most 256 KiB (native/guest/main.c). */
const piece = 192 << 10
/** Steps in one message: each has a head of 40 bytes and a path. */
const mostSteps = 256
/** Messages without an answer at a time, so that the guest never waits for the next one. */
const ahead = 6
/** Milliseconds for all of it, and for each MiB: a busy machine unpacks 5 MiB a second. */
const limit = { fixed: 30_000, perMiB: 1_000 }

/** Files for a guest's root, and users that it does not have. */
export interface Unpacked {
  readonly entries: () => Promise<readonly ArchiveEntry[]>
  readonly accounts: readonly { readonly name: string; readonly id: number }[]
}

/**
 * Puts files into a guest's root: entry by entry, as tar(1) would unpack them. Parents that are missing are made. Throws
 * NODE_CONFIG with the path that failed, and the guest's reason.
 */
export async function unpackInto(
  channel: GuestChannel,
  { entries: read, accounts }: Unpacked,
): Promise<void> {
  const entries = await read()
  const bytes = entries.reduce((sum, entry) => sum + sizeOf(entry), 0)
  const left = countdown(channel.clock, limit.fixed + (bytes / 2 ** 20) * limit.perMiB)
  const pending: Promise<unknown>[] = []
  try {
    for (const steps of messages([grow, ...unpackSteps(entries), ...accountSteps(accounts), bound])) {
      if (pending.length >= ahead) await pending.shift()
      const sent = channel.apply(steps, left())
      sent.catch(() => {}) // it is awaited later, or an earlier one has failed
      pending.push(sent)
    }
    await Promise.all(pending)
  } catch (failure) {
    await Promise.allSettled(pending)
    throw failure
  }
}

/** The root may take half of a guest's memory. While files are unpacked it may take all (guest/etc/xcluster). */
const grow: GuestStep = { kind: 'run', path: '/etc/xcluster/grow', about: 'let the root grow' }
const bound: GuestStep = { kind: 'run', path: '/etc/xcluster/bound', about: 'bound the root again' }

function accountSteps(accounts: Unpacked['accounts']): GuestStep[] {
  if (accounts.length === 0) return []
  const passwd = accounts.map(({ name, id }) => `${name}:x:${id}:${id}::/nonexistent:/usr/sbin/nologin\n`)
  const group = accounts.map(({ name, id }) => `${name}:x:${id}:\n`)
  return [append('/etc/passwd', passwd.join('')), append('/etc/group', group.join(''))]
}

function sizeOf(entry: ArchiveEntry): number {
  return entry.kind === 'file' ? entry.content.length : 0
}

/** The steps for all entries, with a file of any size in pieces. */
export function* unpackSteps(entries: readonly ArchiveEntry[]): Generator<GuestStep> {
  const made = new Set<string>()
  for (const entry of entries) {
    for (const path of parentsOf(entry.path))
      if (!made.has(path)) yield put({ path, kind: 'directory', mode: 0o755 })
    for (const path of parentsOf(entry.path)) made.add(path)
    if (entry.kind === 'directory') made.add(entry.path)
    if (entry.kind !== 'file' || entry.content.length <= piece) yield put(entry)
    else yield* inPieces(entry)
  }
}

function* inPieces(file: Extract<ArchiveEntry, { kind: 'file' }>): Generator<GuestStep> {
  const { content, path } = file
  yield put({ ...file, content: content.subarray(0, piece) })
  for (let at = piece; at < content.length; at += piece) {
    const part = content.subarray(at, at + piece)
    yield { kind: 'append', path: `/${path}`, content: part, about: `unpack /${path}` }
  }
}

function put(entry: ArchiveEntry): GuestStep {
  return { kind: 'put', entry, about: `unpack /${entry.path}` }
}

/** `etc/init.d/x` → `etc`, `etc/init.d` */
function parentsOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1)
  return parts.map((_, depth) => parts.slice(0, depth + 1).join('/'))
}

function contentOf(step: GuestStep): number {
  if (step.kind === 'append') return step.content.length
  return step.kind === 'put' ? sizeOf(step.entry) + step.entry.path.length : 0
}

/** As many steps as fit into one message. */
function* messages(steps: Iterable<GuestStep>): Generator<GuestStep[]> {
  let message: GuestStep[] = []
  let bytes = 0
  for (const step of steps) {
    const size = contentOf(step)
    if (message.length > 0 && (message.length >= mostSteps || bytes + size > piece)) {
      yield message
      message = []
      bytes = 0
    }
    message.push(step)
    bytes += size
  }
  if (message.length > 0) yield message
}
