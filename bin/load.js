// @ts-check
const { isAscii } = require('node:buffer')
const { readFileSync } = require('node:fs')
const { createRequire } = require('node:module')
const { basename, dirname, join } = require('node:path')
const { Script } = require('node:vm')
const { crc32 } = require('node:zlib')

// Loads packed CommonJS modules with a code cache: what V8 has compiled of a module, made by the set-up
// (docs/decisions/programs.md). Without one, and when V8 refuses one, they are compiled as ever. They have no
// `import()`, which fails in what comes out of a cache (Node 20).

/** Modules by their files. A module is here before it has run: two that require each other see each other. */
const modules = /** @type {Map<string, { exports: any }>} */ (new Map())

/** @typedef {{ directory: string, require: NodeJS.Require }} From where a module is, and how it requires others */

/**
 * What the module exports. `from` is given when modules of one directory require each other.
 * @param {string} file
 * @param {From} [from]
 * @returns {any}
 */
function load(file, from = { directory: dirname(file), require: createRequire(file) }) {
  const known = modules.get(file)
  if (known) return known.exports
  const module = { exports: {} }
  modules.set(file, module)
  try {
    const bytes = readFileSync(file)
    const script = compile(file, bytes, readCache(file, bytes))
    const requireOne = (/** @type {string} */ id) =>
      id.startsWith('./') ? load(join(from.directory, id), from) : from.require(id)
    script.runInThisContext()(module.exports, requireOne, module, file, from.directory)
  } catch (failure) {
    modules.delete(file)
    throw failure
  }
  return module.exports
}

/**
 * The function that a module is (nodejs.org/api/modules.html#the-module-wrapper).
 * @param {string} file
 * @param {Buffer} bytes its source
 * @param {Buffer} [cachedData]
 */
function compile(file, bytes, cachedData) {
  // V8 keeps one byte a character then, and nothing is decoded.
  const source = bytes.toString(isAscii(bytes) ? 'latin1' : 'utf8')
  return new Script(`(function (exports, require, module, __filename, __dirname) {${source}\n})`, {
    filename: file,
    cachedData,
  })
}

/**
 * Where the code cache of a module lies. V8 takes none of another version, and the set-up keeps one for each.
 * @param {string} file
 */
const cacheFile = file =>
  join(dirname(file), 'code-cache', `${process.versions.v8}-${process.arch}`, `${basename(file, '.js')}.bin`)

/**
 * The code cache of a module with this source. Undefined when there is none, or when it is of another source or damaged:
 * V8 compares no more than the length of the source, and a damaged cache would crash it.
 * @param {string} file
 * @param {Buffer} bytes
 */
function readCache(file, bytes) {
  try {
    const stored = readFileSync(cacheFile(file))
    const end = stored.length - 4
    const data = stored.subarray(0, end)
    return stored.readUInt32LE(end) === checksum(bytes, data) ? data : undefined
  } catch {
    return undefined
  }
}

/** @type {(source: Buffer, data: Buffer) => number} */
const checksum = (source, data) => crc32(data, crc32(source))

module.exports = { load, compile, cacheFile, readCache, checksum }
