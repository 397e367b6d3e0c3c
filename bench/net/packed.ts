import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { hasCache, makeCodeCaches, modulesIn } from '../../scripts/setup/code-cache.js'
import { pack } from '../../scripts/setup/programs.js'
import { inProject } from '../../scripts/setup/project.js'
import type { Scope } from '../../src/base/index.ts'

/**
 * The floors `net` and `sys` in the form that `npm run build` gives the owner: packed, with a code cache. It lies as deep as the
 * owner, because it finds the addon from where it is.
 */
export async function packNet(scope: Scope): Promise<string> {
  const directory = mkdtempSync(inProject('build/bench-'))
  scope.defer(() => rmSync(directory, { recursive: true }))
  await pack(directory, { net: { net: 'dist/net/index.js', sys: 'dist/sys/index.js' } })
  const modules = modulesIn(directory)
  const result = makeCodeCaches(modules)
  if (!modules.every(hasCache)) throw new Error(`V8 takes no code cache of net: ${result}`)
  return join(directory, 'net.js')
}
