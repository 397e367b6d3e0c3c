import { createHash } from 'node:crypto'
import { type BigIntStats, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { ArchiveEntry } from '../image/index.ts'

/** Every path in a directory, parents first, with its `lstat`. */
function* walk(root: string, below = ''): Generator<{ path: string; stat: BigIntStats }> {
  for (const name of readdirSync(join(root, below)).sort()) {
    const path = below ? `${below}/${name}` : name
    const stat = lstatSync(join(root, path), { bigint: true })
    yield { path, stat }
    if (stat.isDirectory()) yield* walk(root, path)
  }
}

/**
 * Stands for a directory's content, by `lstat` of all that is in it. At once: as promises, ten thousand calls would take
 * ten times as long.
 */
export function fingerprintFolder(root: string): string {
  const hash = createHash('sha256')
  for (const { path, stat } of walk(root)) {
    const { dev, ino, size, mtimeNs, ctimeNs, mode, uid, gid } = stat
    hash.update(`${path}\0${[dev, ino, size, mtimeNs, ctimeNs, mode, uid, gid].join(':')}\n`)
  }
  return hash.digest('hex')
}

/** Reads a directory as a root. Names of one file are hard links; sockets are left out, as tar(1) does. */
export function readFolder(root: string): ArchiveEntry[] {
  const entries: ArchiveEntry[] = []
  const files = new Map<string, Uint8Array>()
  for (const { path, stat } of walk(root)) {
    const owner = { path, uid: Number(stat.uid), gid: Number(stat.gid), mtime: Number(stat.mtimeMs) / 1000 }
    const mode = Number(stat.mode) & 0o7777
    if (stat.isDirectory()) entries.push({ ...owner, kind: 'directory', mode })
    else if (stat.isSymbolicLink())
      entries.push({ ...owner, kind: 'link', target: readlinkSync(join(root, path)) })
    else if (stat.isFile()) {
      const id = `${stat.dev}:${stat.ino}`
      const content = files.get(id) ?? readFileSync(join(root, path))
      files.set(id, content)
      entries.push({ ...owner, kind: 'file', mode, content })
    } else if (!stat.isSocket()) entries.push({ ...owner, kind: 'device', mode, ...deviceOf(stat) })
  }
  return entries
}

/** As glibc's `gnu_dev_major` and `gnu_dev_minor`. */
function deviceOf(stat: BigIntStats) {
  const type = stat.isFIFO() ? 'fifo' : stat.isBlockDevice() ? 'block' : 'char'
  const number = Number(stat.rdev & 0xffff_ffffn)
  return {
    type,
    major: (number >>> 8) & 0xfff,
    minor: (number & 0xff) | ((number >>> 12) & 0xfff00),
  } as const
}
