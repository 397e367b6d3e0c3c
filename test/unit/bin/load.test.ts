import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { cacheFile, checksum, compile, readCache } from '../../../bin/load.js'
import { hasCache, makeCodeCaches, modulesIn } from '../../../scripts/setup/code-cache.js'
import { isSystemError } from '../../../src/base/index.ts'
import { inProject } from '../../house/project.ts'
import { isRoot, unprivileged } from '../../support/rights.ts'

const program = `const { twice, names } = require('./other.js')
const { sep } = require('node:path')
exports.answer = () => twice(21) + sep
exports.fail = () => {
  throw new Error('on line 5')
}
exports.seenEarly = names().join()
exports.seenNow = () => names().join()
`
const other = `exports.twice = n => 2 * n
const program = require('./program.js') // it is still running
exports.names = () => Object.keys(program)
`

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'xc-programs-'))
  file = join(folder, 'program.js')
  writeFileSync(file, program)
  writeFileSync(join(folder, 'other.js'), other)
  writeFileSync(join(folder, 'package.json'), '{ "type": "commonjs" }')
})
afterEach(() => rmSync(folder, { recursive: true }))

/** Loads the program in a Node of its own and evaluates `expression` of its exports, `p`. */
function inNode(expression: string, ...flags: string[]): string {
  const script = `const p = require(${JSON.stringify(inProject('bin/load.js'))}).load(${JSON.stringify(file)})
    void (async () => console.log(await (${expression})))()`
  const { stdout, stderr, status } = spawnSync(process.execPath, [...flags, '-e', script], {
    encoding: 'utf8',
  })
  expect(stderr).toBe('')
  expect(status).toBe(0)
  return stdout.trimEnd()
}

const works = (...flags: string[]) => expect(inNode('p.answer()', ...flags)).toBe('42/')

let names = 0

/** What V8 says of the cache: true when it has refused it, undefined when the loader gives it none. */
function refused(): boolean | undefined {
  const bytes = readFileSync(file)
  return compile(`${file} ${++names}`, bytes, readCache(file, bytes)).cachedDataRejected
}

/** Stores what `change` returns of the cache, with a checksum that fits. */
function replaceData(change: (data: Buffer) => Buffer): void {
  const data = change(readCache(file, readFileSync(file))!)
  const sum = Buffer.alloc(4)
  sum.writeUInt32LE(checksum(readFileSync(file), data))
  writeFileSync(cacheFile(file), Buffer.concat([data, sum]))
}

describe('a packed module', () => {
  test('is loaded without a code cache', () => {
    expect(refused()).toBeUndefined()
    works()
  })

  test('is loaded with the code cache that has been made for it', () => {
    makeCodeCaches(modulesIn(folder))
    expect(modulesIn(folder).filter(hasCache)).toHaveLength(2)
    works()
  })

  test('can be in a circle, and has its own lines in stacks', () => {
    makeCodeCaches(modulesIn(folder))
    expect(inNode('p.seenEarly')).toBe('answer,fail')
    expect(inNode('p.seenNow()')).toBe('answer,fail,seenEarly,seenNow')
    expect(inNode('(() => { try { p.fail() } catch (e) { return e.stack } })()')).toContain(`${file}:5:9`)
  })

  test('may have characters that are not ASCII', () => {
    writeFileSync(file, "exports.answer = () => 'a → b'\n")
    makeCodeCaches([file])
    expect(hasCache(file)).toBe(true)
    expect(inNode('p.answer()')).toBe('a → b')
  })

  test('that threw is run again by the next that requires it', () => {
    writeFileSync(file, 'globalThis.runs = (globalThis.runs ?? 0) + 1\nif (runs < 2) throw new Error()\n')
    writeFileSync(
      join(folder, 'two.js'),
      "try {\n  require('./program.js')\n} catch {\n  require('./program.js')\n}\n",
    )
    file = join(folder, 'two.js')
    expect(inNode('globalThis.runs')).toBe('2')
  })
})

describe('a code cache', () => {
  beforeEach(() => {
    expect(makeCodeCaches([file])).toBe(`made for V8 ${process.versions.v8}`)
  })

  test('has functions that have not run', () => {
    const lazy = compile(`${file} lazily`, readFileSync(file)).createCachedData()
    expect(readCache(file, readFileSync(file))!.length).toBeGreaterThan(lazy.length)
  })

  test('of which any byte is damaged is not given to V8, which would crash', () => {
    const [source, whole] = [readFileSync(file), readFileSync(cacheFile(file))]
    expect(readCache(file, source)).toBeDefined()
    for (let at = 0; at < whole.length; at++) {
      const damaged = Buffer.from(whole)
      damaged[at]! ^= 0x10
      writeFileSync(cacheFile(file), damaged)
      expect(readCache(file, source), `byte ${at}`).toBeUndefined()
    }
    works()
  })

  test.each([0, 3, 4, 100])('that ends after %i bytes is not given to V8', length => {
    writeFileSync(cacheFile(file), readFileSync(cacheFile(file)).subarray(0, length))
    expect(refused()).toBeUndefined()
    works()
  })

  test('of a source of the same length, which V8 would take, is not given to it', () => {
    const stale = readCache(file, readFileSync(file))
    writeFileSync(file, program.replace('twice(21)', 'twice(22)'))
    expect(compile(`${file} stale`, readFileSync(file), stale).cachedDataRejected).toBe(false)
    expect(refused()).toBeUndefined()
    expect(inNode('p.answer()')).toBe('44/')
  })

  test('of another V8 lies beside it, and is refused where it does not', () => {
    expect(cacheFile(file)).toContain(`/code-cache/${process.versions.v8}-${process.arch}/program.bin`)
    // The second word is V8's version (SerializedCodeData::kVersionHashOffset).
    replaceData(data => {
      data.writeUInt32LE(~data.readUInt32LE(4) >>> 0, 4)
      return data
    })
    expect(refused()).toBe(true)
    works()
  })

  test('of a Node with other flags is refused, and the module works', () => {
    const script = `const { compile, readCache } = require(${JSON.stringify(inProject('bin/load.js'))})
      const [, file] = process.argv
      const bytes = require('node:fs').readFileSync(file)
      console.log(compile(file, bytes, readCache(file, bytes)).cachedDataRejected)`
    const refusedWith = (...flags: string[]) =>
      spawnSync(process.execPath, [...flags, '-e', script, file], { encoding: 'utf8' }).stdout
    expect(refusedWith()).toBe('false\n')
    expect(refusedWith('--no-lazy')).toBe('true\n')
    works('--no-lazy')
  })

  test('that V8 refuses is made again', () => {
    replaceData(() => Buffer.alloc(64))
    expect(hasCache(file)).toBe(false)
    makeCodeCaches([file])
    expect(hasCache(file)).toBe(true)
  })

  test('leaves no draft', () => {
    const { stdout } = spawnSync('ls', [dirname(cacheFile(file))], { encoding: 'utf8' })
    expect(stdout).toBe('program.bin\n')
  })
})

describe('no code cache is made', () => {
  test('in a folder that cannot be written, and the module works', ({ skip }) => {
    const { uid, gid } = unprivileged
    for (const path of [folder, file]) chownSync(path, uid, gid)
    chmodSync(folder, 0o555)
    const script = `import { makeCodeCaches } from ${JSON.stringify(inProject('scripts/setup/code-cache.js'))}
      console.log(makeCodeCaches([${JSON.stringify(file)}]))`
    const { error, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      ...(isRoot && { uid, gid }),
    })
    chmodSync(folder, 0o755)
    skip(isSystemError(error, 'EACCES'), 'another user cannot run this Node')
    skip(/EACCES.*code-cache\.js/s.test(stderr), 'another user cannot read this checkout')
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^not made: EACCES: permission denied, mkdir/)
    works()
  })

  test('by another user than the one that the programs belong to', ({ skip }) => {
    skip(!isRoot, 'giving a file to another user takes root')
    chownSync(file, 65534, 65534)
    expect(makeCodeCaches([file])).toBe('not made: the programs belong to another user')
    expect(existsSync(cacheFile(file))).toBe(false)
  })
})
