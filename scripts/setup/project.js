// @ts-check
import { createHash } from 'node:crypto'
import { appendFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defaultCacheDir } from './cache.js'
import { SetupFailure } from './failure.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** True in a checkout; false in an installed package, which may be read-only and of another user. */
export const isCheckout = () => exists('tsconfig.json')

/** The log of a command that is not the set-up. @type {string | undefined} */
let ownLog

/** The log of the last set-up, by the name shown to users. */
export const logName = () =>
  ownLog ?? (isCheckout() ? 'build/setup.log' : join(defaultCacheDir(), 'setup.log'))
const logFile = () => resolve(root, logName())

/**
 * A path in the project's folder.
 * @param {...string} parts
 */
export const inProject = (...parts) => join(root, ...parts)

/**
 * Empties the log.
 * @param {string} [file] the log of this process. Default: that of the set-up.
 */
export function startLog(file) {
  ownLog = file
  try {
    mkdirSync(dirname(logFile()), { recursive: true })
    writeFileSync(logFile(), '')
  } catch (failure) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (failure)
    const remedy = isCheckout()
      ? 'Run this as the user that it belongs to'
      : 'Set XDG_CACHE_HOME to a folder of yours'
    throw new SetupFailure(`The log ${logFile()} cannot be written (${code}). ${remedy}.`, {
      status: 4,
      code: 'SETUP_LOG',
    })
  }
}

/** @param {string} text */
export const writeLog = text => appendFileSync(logFile(), text)

/**
 * Every file below `folder`, as paths in the project, in a fixed order.
 * @param {string} folder
 * @returns {string[]}
 */
export function filesBelow(folder) {
  const entries = readdirSync(inProject(folder), { withFileTypes: true })
  return entries
    .flatMap(entry => {
      const path = join(folder, entry.name)
      return entry.isDirectory() ? filesBelow(path) : [path]
    })
    .sort()
}

/**
 * A short hash of the contents of these files, and of the other inputs of a result.
 * @param {readonly string[]} files
 * @param {readonly string[]} [others]
 */
export function fingerprint(files, others = []) {
  const hash = createHash('sha256')
  for (const other of others) hash.update(`${other}\0`)
  for (const file of files)
    hash
      .update(`${file}\0`)
      .update(readFileSync(inProject(file)))
      .update('\0')
  return hash.digest('hex')
}

/**
 * True when `stamp` has the mark `mark`, and all of `results` still exist.
 * @param {string} stamp
 * @param {string} mark
 * @param {readonly string[]} [results]
 */
export function isStamped(stamp, mark, results = []) {
  return readStamp(stamp) === mark && results.every(exists)
}

/** @param {string} stamp */
function readStamp(stamp) {
  try {
    return readFileSync(inProject(stamp), 'utf8')
  } catch {
    return undefined
  }
}

/** @param {string} path */
export const exists = path => statSync(inProject(path), { throwIfNoEntry: false }) !== undefined

/**
 * @param {string} stamp
 * @param {string} mark
 */
export function writeStamp(stamp, mark) {
  mkdirSync(dirname(inProject(stamp)), { recursive: true })
  writeFileSync(inProject(stamp), mark)
}
