import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { version } from '../base/index.ts'
import { SysError } from './errors.ts'

/** The folder of this package, with a `/` at its end: what it has beside its code is there. Throws PACKAGE_MISSING. */
export function packageRoot(): string {
  root ??= findRoot(here(), `${process.cwd()}/`)
  return root
}

let root: string | undefined

/**
 * Where this code is: its URL. A bundle in CommonJS has no `import.meta.url` and a `__filename` instead.
 */
function here(): string | undefined {
  const url: string | undefined = import.meta.url
  return url ?? (typeof __filename === 'string' ? pathToFileURL(__filename).href : undefined)
}

/**
 * The package is two folders up from the code, which is in src/FLOOR, dist/FLOOR or dist/programs. A bundler moves the
 * code into another file: then it is the package that code there, or in the working directory, would import.
 * Throws PACKAGE_MISSING.
 */
export function findRoot(url: string | undefined, directory: string): string {
  const above = url && fileURLToPath(new URL('../../', url))
  if (above && isOurs(`${above}package.json`)) return above
  const manifests = [url, directory].map(from => from && resolveManifest(from))
  const found = manifests.find(manifest => manifest !== undefined)
  if (found) return found.slice(0, -'package.json'.length)
  throw new SysError({
    code: 'PACKAGE_MISSING',
    kind: 'prerequisite',
    op: 'find the files of xcluster for',
    target: url ? fileURLToPath(url) : directory,
    reason: 'a bundle needs node_modules/xcluster beside it or above it',
    remedy: `Copy version ${version} of the package there, or see "Bundles" in docs/setup.md`,
  })
}

function resolveManifest(from: string): string | undefined {
  try {
    return createRequire(from).resolve('xcluster/package.json')
  } catch {
    return undefined
  }
}

function isOurs(manifest: string): boolean {
  try {
    return (JSON.parse(readFileSync(manifest, 'utf8')) as { name?: unknown }).name === 'xcluster'
  } catch {
    return false
  }
}
