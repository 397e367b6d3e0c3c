// @ts-check
import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { defaultCacheDir } from '../setup/cache.js'
import { command } from '../setup/command.js'

/** The versions of Node beside the one that runs set-up, on which the unit suites run. */
export const nodeVersions = ['22.23.5', '24.22.3', '26.12.1']

/**
 * Unpacks a version of Node from npm's registry into the cache, unless it is there. Resolves to the program.
 * @param {string} version
 * @param {{ cacheDir?: string, arch?: string }} [options]
 */
export async function fetchNode(version, { cacheDir = defaultCacheDir(), arch = process.arch } = {}) {
  const folder = join(cacheDir, 'ground', `node-${version}${arch === process.arch ? '' : `-${arch}`}`)
  const program = join(folder, 'bin/node')
  if (existsSync(program)) return program
  const draft = `${folder}.${process.pid}`
  const signal = AbortSignal.timeout(300_000)
  try {
    await mkdir(draft, { recursive: true })
    const name = `node-linux-${arch}@${version}`
    await command('npm', ['pack', '--silent', '--pack-destination', draft, name], { signal })
    const [file = ''] = await readdir(draft)
    await command('tar', ['-xzf', join(draft, file), '-C', draft], { signal })
    await rm(folder, { recursive: true, force: true })
    await rename(join(draft, 'package'), folder)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
  return program
}
