import { createHash } from 'node:crypto'
import type { ArchiveEntry } from '../image/index.ts'
import type { ArchiveContent } from './archive.ts'

/** Files that are put into guests, on top of the image. */
export interface Additions {
  /** Hash of everything in them: equal additions have equal keys. */
  readonly key: string
  /** Parents before what is in them. */
  readonly entries: readonly ArchiveEntry[]
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

/**
 * All files of all sources. The file of a later source replaces that of an earlier one, which is remarked when they
 * differ.
 */
export function merge(sources: readonly Named[]): { additions: Additions; remarks: string[] } {
  const found = new Map<string, { entry: ArchiveEntry; name: string }>()
  const remarks = sources.flatMap(source => source.remarks)
  for (const { name, entries } of sources)
    for (const entry of entries) {
      const before = found.get(entry.path)
      const differs = before && before.name !== name && digest(before.entry) !== digest(entry)
      if (differs && !(entry.kind === 'directory' && before.entry.kind === 'directory'))
        remarks.push(`/${entry.path} of overlay ${name} replaces that of ${before.name}`)
      found.set(entry.path, { entry, name })
    }
  const entries = [...found.values()].map(({ entry }) => entry).sort((a, b) => (a.path < b.path ? -1 : 1))
  return {
    additions: additionsOf(
      entries,
      sources.flatMap(({ accounts = [] }) => accounts),
    ),
    remarks,
  }
}

/** Below 1000, like those of other daemons. */
const firstAccount = 900

function additionsOf(files: readonly ArchiveEntry[], users: readonly string[]): Additions {
  const accounts = [...new Set(users)].map((name, index) => ({ name, id: firstAccount + index }))
  const entries = [...files, ...startScripts(files)]
  const key = createHash('sha256')
  for (const entry of entries) key.update(digest(entry))
  key.update(JSON.stringify(accounts))
  const bytes = entries.reduce(
    (sum, entry) => sum + pages(entry.kind === 'file' ? entry.content.length : 0),
    0,
  )
  return { key: key.digest('hex').slice(0, 32), entries, accounts, bytes }
}

/** The link by which a guest knows that there are scripts to run once it is configured (guest/etc/xcluster/rc). */
function startScripts(files: readonly ArchiveEntry[]): ArchiveEntry[] {
  const found = files.some(({ path }) => /^etc\/init\.d\/[^/]+\.rc$/.test(path))
  return found ? [{ path: 'run/rc', kind: 'link', target: '/etc/xcluster/rc' }] : []
}

/** A file takes whole pages, and a kernel structure of about a quarter of a page. */
function pages(bytes: number): number {
  return Math.ceil(bytes / 4096) * 4096 + 1024
}

function digest(entry: ArchiveEntry): string {
  const { content, ...rest } = entry.kind === 'file' ? entry : { ...entry, content: undefined }
  const hash = createHash('sha256').update(JSON.stringify(rest))
  return (content ? hash.update(content) : hash).digest('hex')
}
