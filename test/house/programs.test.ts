import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { cachedModules, hasCache } from '../../scripts/setup/code-cache.js'
import { inProject, readFiles } from './project.ts'

const source = readFiles(['src'], /\.ts$/)

describe('the programs of bin/', () => {
  test('are packed as deep as the modules that find files from where they are', () => {
    const finding = source.filter(({ text }) => /import\.meta\.(url|dirname|filename)/.test(text))
    expect(finding.map(({ path }) => path)).toEqual(['src/dns/workers/pool.ts', 'src/sys/package-root.ts'])
    const beside = /here\.replace\(\/\[\^\/\]\+\(/
    const elsewhere = finding.filter(({ path, text }) => path.split('/').length !== 3 && !beside.test(text))
    expect(elsewhere.map(({ path }) => path)).toEqual([])
    expect(inProject('dist/programs/xc.js').split('/')).toHaveLength(
      inProject('dist/cli/main.js').split('/').length,
    )
  })

  test('share no file, so that loading one never runs the main module of another', () => {
    const files = readFiles(['dist/programs'], /\.js$/)
    const programOf = (name: string) => /^(xc|ahead|owner|worker)/.exec(name)![0].replace('ahead', 'xc')
    const shared = files.flatMap(({ path, text }) =>
      Array.from(text.matchAll(/(?:from |import\(|require\()["']\.\/([^"']+)["']/g), ([, to]) => to!)
        .filter(to => programOf(to) !== programOf(basename(path)))
        .map(to => `${path} loads ${to}`),
    )
    expect(files.length).toBeGreaterThan(4)
    expect(shared).toEqual([])
  })

  test('have a code cache that this V8 takes', () => {
    const modules = cachedModules()
    expect(modules.length).toBeGreaterThan(4)
    expect(modules.filter(file => !hasCache(file))).toEqual([])
  })

  test('are ASCII, which Node need not decode', () => {
    const files = readFiles(['dist/programs'], /\.js$/)
    expect(files.filter(({ text }) => /[^\0-\x7f]/.test(text)).map(({ path }) => path)).toEqual([])
  })

  test('have no import(), which fails in what comes out of a code cache', () => {
    const files = readFiles(['dist/programs'], /\.js$/)
    expect(files.filter(({ text }) => /\bimport\(/.test(text)).map(({ path }) => path)).toEqual([])
  })

  test('say that they have not been built where that is so', () => {
    const copy = mkdtempSync(join(tmpdir(), 'xc-unbuilt-'))
    mkdirSync(join(copy, 'bin'))
    cpSync(inProject('bin/xc.js'), join(copy, 'bin/xc.js'))
    cpSync(inProject('bin/package.json'), join(copy, 'bin/package.json'))
    const { status, stderr } = spawnSync(process.execPath, [join(copy, 'bin/xc.js'), 'ls'], {
      encoding: 'utf8',
    })
    expect(stderr).toBe('xc: it has not been built. Run: npm run build\n')
    expect(status).toBe(4)
  })
})
