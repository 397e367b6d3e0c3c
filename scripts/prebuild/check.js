// @ts-check
import { statSync } from 'node:fs'
import { basename } from 'node:path'
import { command } from '../setup/command.js'
import { oldestGlibc } from './targets.js'

/**
 * What a built file needs of a system.
 * @typedef {object} Needs
 * @property {string} name
 * @property {string} arch
 * @property {number} size in bytes
 * @property {readonly string[]} libraries empty: it is linked statically
 * @property {string | undefined} glibc the newest version of a symbol that it uses
 * @property {readonly string[]} symbols that it does not define itself
 */

/**
 * Reads what a file needs, by readelf, and refuses what would not run everywhere.
 * @param {string} file
 * @param {import('./targets.js').Target} target
 * @returns {Promise<Needs>}
 */
export async function check(file, target) {
  const needs = await readNeeds(file, target)
  const fault = faultOf(needs, await machineOf(file), target)
  if (fault) throw new Error(`${file}: ${fault}`)
  return needs
}

/** @type {(file: string, target: import('./targets.js').Target) => Promise<Needs>} */
async function readNeeds(file, { arch }) {
  const dynamic = await readelf(['--dynamic', '--wide', file])
  const versions = await readelf(['--version-info', '--wide', file])
  const symbols = await readelf(['--dyn-syms', '--wide', file])
  const glibc = matches(versions, /Name: GLIBC_([\d.]+)/g)
    .sort(byVersion)
    .at(-1)
  return {
    name: basename(file),
    arch,
    size: statSync(file).size,
    libraries: matches(dynamic, /\(NEEDED\).*\[(.+)\]/g),
    glibc,
    symbols: matches(symbols, /\bUND (\w+)/g),
  }
}

const machineOf = async (/** @type {string} */ file) =>
  matches(await readelf(['--file-header', file]), /Machine: +(.+)/g)[0]

/** Functions with the same name and another type, or without a name in musl. */
const otherInMusl = ['strerror_r', 'basename', 'fcntl64', 'open64', 'mmap64', 'lseek64', 'fstat64', 'stat64']

/** @type {(needs: Needs, machine: string | undefined, target: import('./targets.js').Target) => string | undefined} */
export function faultOf(needs, machine, target) {
  if (machine !== target.machine) return `it is for ${machine}, not for ${target.machine}`
  const allowed = needs.name.endsWith('.node') ? ['libc.so.6'] : []
  const others = needs.libraries.filter(library => !allowed.includes(library))
  if (others.length > 0) return `it needs ${others.join(' and ')}`
  if (needs.glibc && byVersion(needs.glibc, oldestGlibc) > 0)
    return `it needs glibc ${needs.glibc}, newer than ${oldestGlibc}`
  const differing = needs.symbols.find(symbol => otherInMusl.includes(symbol))
  if (differing) return `it uses ${differing}, which differs between C libraries`
  return undefined
}

/** @type {(a: string, b: string) => number} */
const byVersion = (a, b) => a.localeCompare(b, 'en', { numeric: true })

/** @type {(text: string, pattern: RegExp) => string[]} */
const matches = (text, pattern) => Array.from(text.matchAll(pattern), ([, found = '']) => found)

const readelf = (/** @type {readonly string[]} */ args) => command('readelf', args)
