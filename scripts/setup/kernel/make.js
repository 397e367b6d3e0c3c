// @ts-check
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { writeLog } from '../project.js'
import { run } from '../run.js'
import { fragmentText, requireEffect } from './fragments.js'

/**
 * @typedef {object} Parts
 * @property {import('./source.js').Source} source
 * @property {string} key
 * @property {readonly import('./fragments.js').Option[]} options
 * @property {string} objects the folder that is built in
 * @property {number} jobs
 */

/** Each kernel has a release of its own (`uname -r`), so that modules of another are refused. */
const nameOf = (/** @type {string} */ key) => ({
  name: 'CONFIG_LOCALVERSION',
  value: `"-xcluster-${key}"`,
  file: '',
})

/**
 * Writes the configuration: these options, and all others off.
 * @param {Parts} parts
 * @param {import('../steps.js').Say} say
 */
export async function configure(parts, say) {
  const { objects, options, key, source } = parts
  say('make allnoconfig')
  mkdirSync(objects, { recursive: true })
  const fragment = join(objects, 'fragment.config')
  writeFileSync(fragment, fragmentText([nameOf(key), ...options]))
  await make(parts, ['allnoconfig'], { env: { KCONFIG_ALLCONFIG: fragment } })
  const idle = requireEffect(readFileSync(join(objects, '.config'), 'utf8'), options, source.path)
  if (idle.length > 0) writeLog(`Not in this version of Linux, or always so: ${idle.join(' ')}\n`)
  return `${options.length - idle.length} options`
}

/**
 * @param {Parts} parts
 * @param {import('../steps.js').Say} say
 */
export async function compile(parts, say) {
  let count = 0
  await make(parts, [`-j${parts.jobs}`, 'bzImage', 'modules'], {
    onLine(line) {
      const [, file] = /^\s+(?:CC|AS|LD|AR)(?: \[M\])?\s+(\S+)/.exec(line) ?? []
      if (file) say(`${++count} files compiled, ${file}`)
    },
  })
  return count === 0 ? 'was compiled' : `${count} files compiled`
}

/**
 * Puts kernel, modules and configuration into a folder that is complete or absent.
 * @param {Parts} parts
 * @param {string} result
 * @param {import('../steps.js').Say} say
 */
export async function install(parts, result, say) {
  const { objects } = parts
  say('copying')
  const release = readFileSync(join(objects, 'include/config/kernel.release'), 'utf8').trim()
  const work = await mkdtemp(join(dirname(result), '.new-'))
  try {
    const target = [`INSTALL_MOD_PATH=${work}`, 'INSTALL_MOD_STRIP=1', 'DEPMOD=true']
    await make(parts, [...target, 'modules_install'])
    // Links to the source, which other tools would follow.
    for (const link of ['build', 'source'])
      await rm(join(work, 'lib/modules', release, link), { force: true })
    await mkdir(join(work, 'boot'))
    await copyFile(join(objects, 'arch/x86/boot/bzImage'), join(work, `boot/vmlinuz-${release}`))
    await copyFile(join(objects, '.config'), join(work, `boot/config-${release}`))
    await rename(work, result)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
  return `Linux ${release}`
}

/** The same options give the same bytes: neither the user nor the time of a build is in a kernel. */
const reproducible = {
  KBUILD_BUILD_USER: 'xcluster',
  KBUILD_BUILD_HOST: 'xcluster',
  KBUILD_BUILD_TIMESTAMP: 'Thu Jan  1 00:00:00 UTC 1970',
  KBUILD_BUILD_VERSION: '1',
}

/**
 * @param {Parts} parts
 * @param {readonly string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, onLine?: (line: string) => void }} [options]
 */
function make({ source, objects }, args, { env = {}, onLine } = {}) {
  // What the caller's environment says of other builds is not for this one.
  const foreign = { MAKEFLAGS: '', MFLAGS: '', MAKELEVEL: '', CROSS_COMPILE: '', LOCALVERSION: '' }
  return run('make', ['-C', source.path, `O=${objects}`, 'ARCH=x86_64', ...args], {
    env: { ...foreign, ...reproducible, LC_ALL: 'C', ...env },
    remedy: 'The messages of make are above; the same command goes on where it stopped.',
    ...(onLine && { onLine }),
  })
}
