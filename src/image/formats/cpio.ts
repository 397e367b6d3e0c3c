import { Writer } from '../../base/index.ts'

/** An entry of an archive. `path` has no leading slash. {@link writeCpio} adds the parent directories. */
export type ArchiveEntry = ArchiveOwner & {
  readonly path: string
} & (
    | { readonly kind: 'file'; readonly mode: number; readonly content: Uint8Array }
    | { readonly kind: 'link'; readonly target: string }
    | { readonly kind: 'directory'; readonly mode: number }
    | ({ readonly kind: 'device' } & DeviceNode)
  )

/** Extended attributes (xattr(7)): `security.capability` and its bytes. */
export type Attributes = readonly (readonly [name: string, value: Uint8Array])[]

/**
 * Numbers of user and group. Default: root. The time of the last change, in seconds since 1970. Default: 0. An initramfs
 * has no attributes.
 */
interface ArchiveOwner {
  readonly uid?: number
  readonly gid?: number
  readonly mtime?: number
  readonly attributes?: Attributes
}

interface DeviceNode {
  readonly mode: number
  /** Default: a character device. */
  readonly type?: 'char' | 'block' | 'fifo'
  readonly major: number
  readonly minor: number
}

const S_IFREG = 0o100000
const S_IFLNK = 0o120000
const S_IFDIR = 0o040000
const deviceTypes = { char: 0o020000, block: 0o060000, fifo: 0o010000 } as const

/**
 * An initramfs archive: cpio "newc" (kernel `Documentation/driver-api/early-userspace/buffer-format.rst`).
 * The same entries give the same bytes: they are sorted by path and all times are 0, and
 * inodes count from 1.
 */
export function writeCpio(entries: readonly ArchiveEntry[]): Uint8Array {
  const all = withParents(entries)
  const out = new Writer(all.reduce((sum, entry) => sum + bodyOf(entry).length + 256, 1024))
  let inode = 1
  for (const entry of all) put(out, entry, inode++)
  put(out, { path: 'TRAILER!!!', kind: 'end' }, 0)
  return out.done()
}

type Entry = ArchiveEntry | { readonly path: string; readonly kind: 'end' }

/** Later entries replace earlier ones with the same path. Missing directories are added. */
export function withParents(entries: readonly ArchiveEntry[]): ArchiveEntry[] {
  const byPath = new Map<string, ArchiveEntry>()
  for (const entry of entries) {
    const parts = entry.path.split('/')
    for (let depth = 1; depth < parts.length; depth++) {
      const path = parts.slice(0, depth).join('/')
      if (!byPath.has(path)) byPath.set(path, { path, kind: 'directory', mode: 0o755 })
    }
    byPath.set(entry.path, entry)
  }
  return [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
}

const encoder = new TextEncoder()
const nothing = new Uint8Array(0)

function bodyOf(entry: Entry): Uint8Array {
  if (entry.kind === 'file') return entry.content
  return entry.kind === 'link' ? encoder.encode(entry.target) : nothing
}

function modeOf(entry: Entry): number {
  switch (entry.kind) {
    case 'file':
      return S_IFREG | entry.mode
    case 'link':
      return S_IFLNK | 0o777
    case 'directory':
      return S_IFDIR | entry.mode
    case 'device':
      return deviceTypes[entry.type ?? 'char'] | entry.mode
    case 'end':
      return 0
  }
}

function put(out: Writer, entry: Entry, inode: number): void {
  const name = encoder.encode(`${entry.path}\0`)
  const body = bodyOf(entry)
  const [major, minor] = entry.kind === 'device' ? [entry.major, entry.minor] : [0, 0]
  const links = entry.kind === 'directory' ? 2 : 1
  // ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check
  const { uid = 0, gid = 0 } = entry.kind === 'end' ? {} : entry
  const fields = [inode, modeOf(entry), uid, gid, links, 0, body.length, 0, 0, major, minor, name.length, 0]
  out.put(encoder.encode(`070701${fields.map(hex).join('')}`))
  out.put(name)
  out.align(4)
  out.put(body)
  out.align(4)
}

const hex = (value: number) => value.toString(16).padStart(8, '0')
