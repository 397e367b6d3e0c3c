// @ts-check
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { packagesFor, provide } from '../debian.js'
import { SetupFailure } from '../failure.js'
import { readFragments } from './fragments.js'
import { keyOf } from './key.js'
import { compile, configure, install } from './make.js'
import { fetchSource, knownSource } from './source.js'

/**
 * @typedef {object} Build
 * @property {string} folder the kernels of the cache: sources, objects and results
 * @property {readonly string[]} fragments files with options that are added to those of guest.config
 * @property {number} jobs how many compilers run at a time
 * @property {boolean} install whether packages may be installed, which takes root
 * @property {boolean} refresh whether a newer source is looked for
 */

/**
 * The steps that build a kernel. `result` is where it is, once they are done. A kernel is kept under a key of its source
 * and configuration, so the same build a second time does nothing. Sources and objects stay: an interrupted build goes on
 * where it was, and another configuration compiles what it changes.
 * @param {Build} build
 */
export function building({ folder, fragments, jobs, install: mayInstall, refresh }) {
  const options = readFragments(fragments)
  let source = refresh ? undefined : knownSource(folder)
  const result = () => join(folder, `linux-${source?.version}-${keyOf(source?.name ?? '', options)}`)
  const isDone = () => source !== undefined && existsSync(result())
  /** @type {(title: string, run: import('../steps.js').Step['run']) => import('../steps.js').Step} */
  const step = (title, run) => ({ title, run: async say => (isDone() ? 'not needed' : run(say)) })
  const parts = () => {
    if (!source) throw new Error('there is no source')
    const key = keyOf(source.name, options)
    return { source, key, options, jobs, objects: `${source.path}.objects` }
  }
  const steps = [
    step('Tools', async say => {
      requirePossible(folder)
      const why = 'To build a kernel, packages are needed'
      const wanted = packagesFor.kernel
      const [code, itself] = ['PACKAGES_MISSING', 'npx xc kernel build']
      const missing = await provide(wanted, { install: mayInstall, say, why, code, itself })
      return missing.length === 0 ? 'all installed' : `installed ${missing.join(' ')}`
    }),
    step('Source', async say => {
      source ??= await fetchSource(folder, say)
      return source.name
    }),
    step('Configuration', async say => configure(parts(), say)),
    step('Kernel', async say => compile(parts(), say)),
    {
      title: 'Result',
      run: async (/** @type {import('../steps.js').Say} */ say) => {
        if (isDone()) return 'up to date'
        return install(parts(), result(), say)
      },
    },
  ]
  return { steps, result }
}

/** @param {string} folder */
function requirePossible(folder) {
  if (process.arch !== 'x64')
    throw new SetupFailure('A kernel for guests, which are x86-64, is built on x86-64 machines alone.', {
      status: 4,
      code: 'KERNEL_UNBUILDABLE',
    })
  if (!/[\s:]/.test(folder)) return
  throw new SetupFailure(
    `Linux cannot be built in ${folder}: its path has a space or a colon. Set XDG_CACHE_HOME to another folder.`,
    { status: 4, code: 'KERNEL_UNBUILDABLE' },
  )
}
