import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Scope } from '../../src/base/index.ts'
import { dist } from '../built.ts'

/** How every look at a trace's switch is written, once compiled. */
const check = /\bif \((?:[\w.#]*\.)?#?trace\.on\)/g

/** Fewer would mean that they are written in another way by now, and that this measures nothing. */
const fewestChecks = 20

/** JavaScript with `if (false)`, which the compiler drops, in place of each check. */
export function withoutChecks(code: string): { readonly code: string; readonly checks: number } {
  return { code: code.replace(check, 'if (false)'), checks: code.match(check)?.length ?? 0 }
}

/** Copies the build into a directory that goes with `scope`; gives its place. */
export function copyOfBuild(scope: Scope): URL {
  const directory = mkdtempSync(join(tmpdir(), 'xcluster-bench-'))
  scope.defer(() => rmSync(directory, { recursive: true }))
  cpSync(fileURLToPath(dist), directory, { recursive: true })
  writeFileSync(join(directory, 'package.json'), '{"type":"module"}')
  return pathToFileURL(`${directory}/`)
}

/** The same without its checks. */
export function buildWithoutChecks(scope: Scope): URL {
  const place = copyOfBuild(scope)
  const directory = fileURLToPath(place)
  let all = 0
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.js')) continue
    const { code, checks } = withoutChecks(readFileSync(join(directory, name), 'utf8'))
    all += checks
    if (checks > 0) writeFileSync(join(directory, name), code)
  }
  if (all < fewestChecks) throw new Error(`dist has ${all} checks of traces, not ${fewestChecks} or more`)
  return place
}
