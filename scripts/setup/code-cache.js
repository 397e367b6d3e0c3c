// @ts-check
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { cacheFile, checksum, compile, readCache } from '../../bin/load.js'
import { inProject } from './project.js'

/**
 * What V8 compiles of the programs, for this Node: it compiles them anew in every process otherwise
 * (docs/decisions/programs.md). The programs run without it, so it is not an error when their folder cannot be written.
 */
export const codeCache = () => ({
  title: 'Code cache',
  /** @param {import('./steps.js').Say} say */
  async run(say) {
    const missing = cachedModules().filter(file => !hasCache(file))
    if (missing.length === 0) return 'up to date'
    say('compiling')
    return makeCodeCaches(missing)
  },
})

/** The packed modules that bin/load.js loads: all but the script of a thread, which Node loads. */
export const cachedModules = () =>
  modulesIn(inProject('dist/programs')).filter(file => basename(file) !== 'worker.js')

/**
 * Makes the code caches of these packed modules. Only the user that a module belongs to does: what a cache holds is run.
 * @param {readonly string[]} files
 */
export function makeCodeCaches(files) {
  if (!files.every(isOurs)) return 'not made: the programs belong to another user'
  try {
    for (const file of files) writeCache(file)
    return `made for V8 ${process.versions.v8}`
  } catch (failure) {
    if (!isRefused(failure)) throw failure
    return `not made: ${failure.message}`
  }
}

/**
 * The packed modules of a folder.
 * @param {string} folder
 */
export const modulesIn = folder =>
  readdirSync(folder)
    .filter(name => name.endsWith('.js'))
    .map(name => join(folder, name))

let checks = 0

/**
 * True when V8 takes the code cache that the module has. It is compiled under a name of its own: V8 takes what it has
 * compiled before in this process, by source and name, and looks at no cache.
 * @param {string} file
 */
export function hasCache(file) {
  const bytes = readFileSync(file)
  const data = readCache(file, bytes)
  return (
    data !== undefined && compile(`${file} (check ${++checks})`, bytes, data).cachedDataRejected === false
  )
}

/** @param {string} file */
const isOurs = file => statSync(file).uid === process.getuid?.()

/** @param {string} file */
function writeCache(file) {
  const bytes = readFileSync(file)
  const data = compileEagerly(file, bytes).createCachedData()
  const sum = Buffer.alloc(4)
  sum.writeUInt32LE(checksum(bytes, data))
  const path = cacheFile(file)
  const draft = `${path}.${process.pid}`
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(draft, Buffer.concat([data, sum]), { flush: true })
  renameSync(draft, path)
}

/**
 * All functions are compiled, and none is run. V8 keeps its flags in a cache and compares them when it takes one, so they
 * are as before when the cache is made.
 * @param {string} file
 * @param {Buffer} bytes
 */
function compileEagerly(file, bytes) {
  setFlagsFromString('--no-lazy')
  try {
    return compile(file, bytes)
  } finally {
    setFlagsFromString('--lazy')
  }
}

/**
 * @param {unknown} failure
 * @returns {failure is NodeJS.ErrnoException}
 */
const isRefused = failure =>
  failure instanceof Error &&
  'code' in failure &&
  ['EACCES', 'EPERM', 'EROFS', 'ENOSPC'].includes(`${failure.code}`)
