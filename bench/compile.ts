import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { Scope } from '../src/base/index.ts'

/** Compiles one C file into a directory that goes with `scope`, and returns the program's path. */
export function compile(source: string, scope: Scope): string {
  const directory = mkdtempSync(join(tmpdir(), 'xcluster-bench-'))
  scope.defer(() => rmSync(directory, { recursive: true }))
  const program = join(directory, basename(source, '.c'))
  execFileSync('cc', ['-std=gnu11', '-O2', '-o', program, source])
  return program
}
