import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packedFolder } from './packed.ts'

/**
 * Runs before all suites: makes one directory for all temporary files of tests, and removes it at the end. A worker
 * may be killed before it can remove its own files.
 */
export default function setup(): () => void {
  const before = process.env.TMPDIR
  const directory = mkdtempSync(join(tmpdir(), 'xc-'))
  chmodSync(directory, 0o1777) // tests also run as other users
  process.env.TMPDIR = directory
  return () => {
    if (before === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = before
    for (const each of [directory, packedFolder(directory)]) rmSync(each, { recursive: true, force: true })
  }
}
