import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Inputs } from '../image/index.ts'

/**
 * Files that libraries and programs open by name, which nothing in them tells: by the beginning of the library's or
 * program's name, below each of the library directories.
 */
const plugins: readonly { readonly of: RegExp; readonly path: string }[] = [
  { of: /^libxtables\.so/, path: 'xtables' },
  { of: /^libpam\.so/, path: 'security' },
  { of: /^libcrypto\.so\.3/, path: 'ossl-modules' },
  { of: /^libpthread\.so|^libc\.so/, path: 'libgcc_s.so.1' }, // pthread_cancel (glibc)
  { of: /^tc$/, path: 'tc' },
]

const libraryDirs = [
  'usr/lib/x86_64-linux-gnu',
  'lib/x86_64-linux-gnu',
  'usr/lib64',
  'lib64',
  'usr/lib',
  'lib',
]

/** The paths of the plugins of these libraries and programs that exist below the roots. */
export function pluginsOf(names: readonly string[], roots: readonly string[], inputs: Inputs): string[] {
  const wanted = plugins.filter(({ of }) => names.some(name => of.test(name)))
  return wanted.flatMap(({ path }) => {
    const place = libraryDirs
      .map(dir => join(dir, path))
      .find(each => roots.some(root => inputs.has(join(root, each))))
    return place === undefined ? [] : below(place, roots, inputs)
  })
}

function below(path: string, roots: readonly string[], inputs: Inputs): string[] {
  const root = roots.find(each => inputs.has(join(each, path)))!
  try {
    return readdirSync(join(root, path)).map(name => join(path, name))
  } catch {
    return [path]
  }
}
