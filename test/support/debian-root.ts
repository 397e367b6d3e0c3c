import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { SuiteApt } from '../../scripts/ground/apt.js'
import { unpackRoot } from '../../scripts/ground/unpack.js'
import { places } from '../../src/base/index.ts'
import { writeExt4 } from './disk-images.ts'

const packages = [
  'base-files',
  'base-passwd',
  'bash',
  'coreutils',
  'dash',
  'findutils',
  'grep',
  'login',
  'sed',
  'systemd-sysv',
  'util-linux',
]

/** A tar archive of a Debian 12 with systemd: made once from its packages, then from the cache. */
export function debianRoot(): Promise<string> {
  return cached('bookworm-1.tar', packages, tarOf)
}

async function tarOf(draft: string): Promise<string> {
  const { status, stderr } = spawnSync('tar', ['-cf', 'root.tar', '-C', 'root', '.'], { cwd: draft })
  if (status !== 0) throw new Error(`tar: ${stderr}`)
  return join(draft, 'root.tar')
}

/** The same with an editor, a compiler and two languages, unpacked 250 MiB and more. */
export function largeDebianRoot(): Promise<string> {
  const more = [...packages, 'gcc', 'git', 'perl', 'python3', 'vim']
  return cached('bookworm-large-1.tar', more, tarOf)
}

/** The same Debian on a raw disk image, ext4. */
export function debianDisk(): Promise<string> {
  return cached('bookworm-1.ext4', packages, async draft => {
    const disk = join(draft, 'disk')
    writeExt4(disk, { from: join(draft, 'root'), mebibytes: 500 })
    return disk
  })
}

/**
 * A file of the cache. When it is missing, it is made from a Debian 12 with systemd and `more` packages, which is in
 * `root` of a directory: `make` returns the path of what is to be kept.
 */
export async function cached(
  name: string,
  more: readonly string[],
  make: (draft: string) => Promise<string>,
): Promise<string> {
  const folder = join(places(process.env, process.getuid!()).cache, 'test-roots')
  const file = join(folder, name)
  if (existsSync(file)) return file
  const draft = join(folder, `draft-${process.pid}`)
  await mkdir(draft, { recursive: true })
  try {
    const apt = new SuiteApt({ folder: draft, signal: AbortSignal.timeout(300_000) })
    await apt.update('bookworm')
    await unpackRoot(join(draft, 'root'), await apt.download([...new Set([...packages, ...more])]))
    await rename(await make(draft), file)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
  return file
}
