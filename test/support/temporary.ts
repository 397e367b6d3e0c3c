import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Before all suites: one directory for everything that tests put into the system's temporary directory,
 * removed at their end. A worker may be ended before it can clean up.
 */
export default function setup(): () => void {
  const before = process.env.TMPDIR
  const directory = mkdtempSync(join(tmpdir(), 'xc-'))
  chmodSync(directory, 0o1777) // some tests run as other users
  process.env.TMPDIR = directory
  return () => {
    if (before === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = before
    rmSync(directory, { recursive: true, force: true })
  }
}
