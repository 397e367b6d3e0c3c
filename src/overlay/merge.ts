import { createHash } from 'node:crypto'
import type { ArchiveEntry } from '../image/index.ts'
import type { ArchiveContent } from './archive.ts'

/** Files that are put into guests, on top of the image. */
export interface Additions {
  /** Hash of everything in them: equal additions have equal keys. */
  readonly key: string
  /** Reads them: parents before what is in them. */
  readonly entries: () => Promise<readonly ArchiveEntry[]>
  /** Users that programs in them become. */
  readonly accounts: readonly Account[]
  /** Memory that they take in a guest, in bytes. */
  readonly bytes: number
}

export interface Account {
  readonly name: string
  /** Of the user, and of a group with the same name. */
  readonly id: number
}

/** Content with the name of where it comes from. */
export interface Named extends ArchiveContent {
  readonly name: string
  /** Names of users that its programs become. */
  readonly accounts?: readonly string[]
}

/** An entry without its content. */
export interface Digest {
  readonly path: string
  readonly kind: ArchiveEntry['kind']
  /** Hash of everything in the entry. */
  readonly hash: string
  /** The length of its content. */
  readonly bytes: number
}

/** Content that is read when a guest gets it: until then its hashes tell whether a template has it. */
export interface Source extends Pick<Named, 'name' | 'accounts' | 'remarks'> {
  readonly digests: readonly Digest[]
  readonly entries: () => Promise<readonly ArchiveEntry[]>
}

/** The source of content that has been read. */
export function sourceOf({ entries, ...named }: Named): Source {
  return { ...named, digests: entries.map(digestOf), entries: async () => entries }
}

/**
 * All files of all sources. The file of a later source replaces that of an earlier one, which is remarked when they
 * differ.
 */
export function merge(sources: readonly Source[]): { additions: Additions; remarks: string[] } {
  const found = new Map<string, { digest: Digest; name: string }>()
  const remarks = sources.flatMap(source => source.remarks)
  for (const { name, digests } of sources)
    for (const digest of digests) {
      const before = found.get(digest.path)
      const differs = before && before.name !== name && before.digest.hash !== digest.hash
      if (differs && !(digest.kind === 'directory' && before.digest.kind === 'directory'))
        remarks.push(`/${digest.path} of overlay ${name} replaces that of ${before.name}`)
      found.set(digest.path, { digest, name })
    }
  const digests = [...found.values()].map(({ digest }) => digest).sort(byPath)
  const users = sources.flatMap(({ accounts = [] }) => accounts)
  return { additions: additionsOf(digests, users, () => entriesOf(sources)), remarks }
}

async function entriesOf(sources: readonly Source[]): Promise<ArchiveEntry[]> {
  const found = new Map<string, ArchiveEntry>()
  for (const source of sources) for (const entry of await source.entries()) found.set(entry.path, entry)
  return [...found.values()].sort(byPath)
}

function byPath(one: { readonly path: string }, other: { readonly path: string }): number {
  return one.path < other.path ? -1 : 1
}

/** Below 1000, like those of other daemons. */
const firstAccount = 900

function additionsOf(
  digests: readonly Digest[],
  users: readonly string[],
  read: () => Promise<ArchiveEntry[]>,
): Additions {
  const accounts = [...new Set(users)].map((name, index) => ({ name, id: firstAccount + index }))
  const own = startScripts(digests)
  const all = [...digests, ...own.map(digestOf)]
  const key = createHash('sha256')
  for (const { hash } of all) key.update(hash)
  key.update(JSON.stringify(accounts))
  return {
    key: key.digest('hex').slice(0, 32),
    entries: async () => [...(await read()), ...own],
    accounts,
    bytes: all.reduce((sum, { bytes }) => sum + pages(bytes), 0),
  }
}

/** The link by which a guest knows that there are scripts to run once it is configured (guest/etc/xcluster/rc). */
function startScripts(files: readonly Digest[]): ArchiveEntry[] {
  const found = files.some(({ path }) => /^etc\/init\.d\/[^/]+\.rc$/.test(path))
  return found ? [{ path: 'run/rc', kind: 'link', target: '/etc/xcluster/rc' }] : []
}

/** A file takes whole pages, and a kernel structure of about a quarter of a page. */
function pages(bytes: number): number {
  return Math.ceil(bytes / 4096) * 4096 + 1024
}

/** Tells the entry from all others. */
function digestOf(entry: ArchiveEntry): Digest {
  const { content, ...rest } = entry.kind === 'file' ? entry : { ...entry, content: undefined }
  const hash = createHash('sha256').update(JSON.stringify(rest))
  if (content) hash.update(content)
  return { path: entry.path, kind: entry.kind, hash: hash.digest('hex'), bytes: content?.length ?? 0 }
}
