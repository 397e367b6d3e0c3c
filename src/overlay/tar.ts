import type { Readable } from 'node:stream'
import { pack } from 'tar-stream'
import type { ArchiveEntry } from '../image/index.ts'

/** The entries as a tar archive (POSIX ustar, pax where a name is too long), to be read once. */
export function writeTar(entries: readonly ArchiveEntry[]): Readable {
  const archive = pack()
  for (const entry of entries) {
    const { path, kind, uid = 0, gid = 0, mtime = 0 } = entry
    const name = kind === 'directory' ? `${path}/` : path
    const common = { name, uid, gid, mtime: new Date(mtime * 1000) }
    if (entry.kind === 'file') archive.entry({ ...common, mode: entry.mode }, Buffer.from(entry.content))
    else archive.entry({ ...common, ...typeOf(entry) })
  }
  archive.finalize()
  return archive
}

function typeOf(entry: Exclude<ArchiveEntry, { kind: 'file' }>) {
  if (entry.kind === 'link') return { type: 'symlink', linkname: entry.target, mode: 0o777 } as const
  if (entry.kind === 'directory') return { type: 'directory', mode: entry.mode } as const
  const { mode, type = 'char', major, minor } = entry
  const types = { char: 'character-device', block: 'block-device', fifo: 'fifo' } as const
  return { type: types[type], mode, devmajor: major, devminor: minor }
}
